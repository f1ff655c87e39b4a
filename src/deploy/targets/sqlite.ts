import { z } from "zod";
import { checkSqlOptions, sqlFacts, sqlOptions, sqlReferences } from "./sql-options.ts";
import type { Target } from "./target.ts";

/** Plain on purpose: nothing that SQLite would take for a URI, no way up and out of a folder, and none into git's own. */
const file = z
  .string()
  .regex(/^(?!.*(?:^|\/)(?:\.\.?|\.git)(?:\/|$))(?!.*\/\/)[A-Za-z0-9_./-]{1,400}\.(?:db|sqlite|sqlite3)$/, {
    error: "a file is a path of letters, digits, _ - . and /, without .., that ends in .db, .sqlite or .sqlite3",
  });

const options = z.strictObject({ ...sqlOptions, file }).superRefine(checkSqlOptions);
export type SqliteTargetOptions = z.infer<typeof options>;

/** Rows of a SQLite file, sealed one by one, for programs that read them as they run. Takes Node 22.13. */
export const sqliteTarget: Target<SqliteTargetOptions> = {
  describe: "a table in a SQLite file, sealed row by row",
  options,
  facts: sqlFacts,
  references: sqlReferences,
  place: ({ file: path, owner_type: type, owner_id: id }) => `${path}, ${type} ${id}`,
  toName: (name) => name,
  async open(given, access) {
    const { openSqliteTarget } = await import("./sql-sqlite.ts");
    return await openSqliteTarget(given, access);
  },
};
