import { z } from "zod";
import { parseIdentities } from "../../src/crypto/identity.ts";
import { Secret } from "../../src/secret/secret.ts";
import type { SqlDatabase } from "../../src/services/sql-database.ts";
import { readSqlValues } from "../../src/services/sql-reader.ts";
import { hex, type Fields } from "./vector.ts";

const column = z.union([z.string(), z.number(), z.null()]);
const row = z.record(z.string(), column);
const input = z.object({
  owner_type: z.string(),
  owner_id: z.string(),
  key: z.string().optional(),
  identity: z.string().optional(),
  integrity_key: z.string().optional(),
  owner_row: row.nullable(),
  rows: z.array(row),
});

/** What our reader gives for the rows of a vector, as if they were in a table. */
export async function openSqlRows(written: Fields): Promise<Fields> {
  const given = input.parse(written);
  const rows = [...given.rows, ...(given.owner_row === null ? [] : [given.owner_row])].map(parseColumns);
  const database: SqlDatabase = {
    dialect: "sqlite",
    transaction: async (_mode, _owner, work) => await work(async () => rows),
    close: async () => undefined,
  };
  const secret = (text: string) => Secret.of(Buffer.from(text, "hex"), "binary");
  const { sequence, values } = await readSqlValues(database, {
    owner: { type: given.owner_type, id: given.owner_id },
    keys: {
      ...(given.key === undefined ? {} : { keys: [secret(given.key)] }),
      ...(given.identity === undefined ? {} : { identities: parseIdentities(given.identity) }),
      ...(given.integrity_key === undefined ? {} : { integrityKey: secret(given.integrity_key) }),
    },
  });
  const named = [...values].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    sequence,
    values: named.map(([name, value]) => ({ name, kind: value.kind, value: hex(value.reveal()) })),
  };
}

function parseColumns(written: z.infer<typeof row>): Record<string, unknown> {
  const bytes = ["wrapped_key", "sealed", "mac"].map((name) => [name, Buffer.from(String(written[name]), "hex")]);
  return { ...written, ...Object.fromEntries(bytes) };
}
