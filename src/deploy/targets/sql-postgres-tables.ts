import type { SqlTables } from "../../services/sql-tables.ts";
import type { Migration } from "./sql-migrations.ts";

const ownColumns = `owner_type text COLLATE "C" NOT NULL CHECK (length(owner_type) BETWEEN 1 AND 200),
  owner_id text COLLATE "C" NOT NULL CHECK (length(owner_id) BETWEEN 1 AND 200)`;

const sealedColumns = `format smallint NOT NULL CHECK (format >= 1),
  sequence bigint NOT NULL CHECK (sequence BETWEEN 0 AND 9007199254740991),
  readers text NOT NULL,
  changed_at_ms bigint NOT NULL CHECK (changed_at_ms BETWEEN 0 AND 9007199254740991),
  wrapped_key bytea NOT NULL,
  sealed bytea NOT NULL,
  mac bytea NOT NULL`;

const isOwner = `owner_type = current_setting('sealtree.owner_type', true)
  AND owner_id = current_setting('sealtree.owner_id', true)`;

/** Whether the role was given the owner of the setting. Of one value for a whole statement, so it is found once. */
function isGiven({ access }: SqlTables, what: "" | " AND given.may_write"): string {
  return `EXISTS (
    SELECT 1 FROM ${access} AS given JOIN pg_roles ON pg_roles.rolname = given.role
    WHERE given.owner_type = current_setting('sealtree.owner_type', true)
      AND given.owner_id = current_setting('sealtree.owner_id', true)
      AND pg_has_role(pg_roles.oid, 'USAGE')${what}
  )`;
}

/** Nobody may delete, since there is no policy for it: a removed value leaves a row. */
function policies(tables: SqlTables, table: string): string[] {
  const mayRead = `${isOwner} AND ${isGiven(tables, "")}`;
  const mayWrite = `${isOwner} AND ${isGiven(tables, " AND given.may_write")}`;
  return [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    `ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`,
    `CREATE POLICY sealtree_read ON ${table} FOR SELECT USING (${mayRead})`,
    `CREATE POLICY sealtree_insert ON ${table} FOR INSERT WITH CHECK (${mayWrite})`,
    `CREATE POLICY sealtree_update ON ${table} FOR UPDATE USING (${mayWrite}) WITH CHECK (${mayWrite})`,
  ];
}

const first: Migration = (tables) => [
  `CREATE TABLE ${tables.migration} (
  version integer PRIMARY KEY,
  applied_at timestamptz NOT NULL DEFAULT now()
)`,
  `CREATE TABLE ${tables.access} (
  role name NOT NULL,
  ${ownColumns},
  may_write boolean NOT NULL DEFAULT false,
  PRIMARY KEY (role, owner_type, owner_id)
)`,
  `CREATE TABLE ${tables.secret} (
  ${ownColumns},
  name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  kind text NOT NULL CHECK (kind IN ('value', 'deleted')),
  address text,
  fingerprint text,
  ${sealedColumns},
  PRIMARY KEY (owner_type, owner_id, name),
  CHECK ((address IS NULL) = (fingerprint IS NULL))
)`,
  `CREATE TABLE ${tables.owner} (
  ${ownColumns},
  ${sealedColumns},
  PRIMARY KEY (owner_type, owner_id)
)`,
  `REVOKE ALL ON ${tables.migration}, ${tables.access}, ${tables.secret}, ${tables.owner} FROM PUBLIC`,
  `ALTER TABLE ${tables.access} ENABLE ROW LEVEL SECURITY`,
  `CREATE POLICY sealtree_read ON ${tables.access} FOR SELECT USING (EXISTS (
  SELECT 1 FROM pg_roles WHERE pg_roles.rolname = role AND pg_has_role(pg_roles.oid, 'USAGE')
))`,
  ...policies(tables, tables.secret),
  ...policies(tables, tables.owner),
];

/** The tables of PostgreSQL, version by version. The schema is there before the first. */
export const postgresMigrations: readonly Migration[] = [first];
