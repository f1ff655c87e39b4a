import { z } from "zod";
import { checkDatabaseRule, databaseOptions, databaseTraits } from "./database-rule.ts";
import type { Rotator } from "./rotator.ts";

const options = z
  .strictObject({
    ...databaseOptions,
    port: z.int().min(1).max(65_535).default(5432),
    /** Where the users connect to, and the administrator too. */
    database: z.string().regex(/^[A-Za-z_][A-Za-z0-9_.$-]{0,62}$/, { error: "a database is a plain name" }),
  })
  .superRefine(checkDatabaseRule)
  .refine(({ users, outage }) => users.length > 1 || outage !== undefined, {
    error: "one role has one password: name two users that take turns, or write outage: accept",
  });
export type PostgresOptions = z.infer<typeof options>;

/** The passwords of PostgreSQL roles (13 and later), as SCRAM verifiers. */
export const postgresRotator: Rotator<PostgresOptions> = {
  name: "postgres",
  kind: "chosen",
  describe: "the password of a PostgreSQL role, or of two that take turns",
  options,
  provider: {
    ...databaseTraits,
    async open(checked, access) {
      const { openPostgres } = await import("./postgres-provider.ts");
      return openPostgres(checked, access);
    },
  },
};
