import type { Migration } from "./sql-migrations.ts";

const ownColumns = `owner_type TEXT NOT NULL CHECK (length(owner_type) BETWEEN 1 AND 200),
  owner_id TEXT NOT NULL CHECK (length(owner_id) BETWEEN 1 AND 200)`;

const sealedColumns = `format INTEGER NOT NULL CHECK (format >= 1),
  sequence INTEGER NOT NULL CHECK (sequence BETWEEN 0 AND 9007199254740991),
  readers TEXT NOT NULL,
  changed_at_ms INTEGER NOT NULL CHECK (changed_at_ms BETWEEN 0 AND 9007199254740991),
  wrapped_key BLOB NOT NULL,
  sealed BLOB NOT NULL,
  mac BLOB NOT NULL`;

const first: Migration = (tables) => [
  `CREATE TABLE ${tables.migration} (
  version INTEGER PRIMARY KEY,
  applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT`,
  `CREATE TABLE ${tables.secret} (
  ${ownColumns},
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  kind TEXT NOT NULL CHECK (kind IN ('value', 'deleted')),
  address TEXT,
  fingerprint TEXT,
  ${sealedColumns},
  PRIMARY KEY (owner_type, owner_id, name),
  CHECK ((address IS NULL) = (fingerprint IS NULL))
) STRICT`,
  `CREATE TABLE ${tables.owner} (
  ${ownColumns},
  ${sealedColumns},
  PRIMARY KEY (owner_type, owner_id)
) STRICT`,
];

/** The tables of SQLite (3.37 and later), version by version. */
export const sqliteMigrations: readonly Migration[] = [first];
