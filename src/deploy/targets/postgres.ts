import { z } from "zod";
import { databaseHost, databaseUser, isThisMachine, usesTls } from "../../services/database-login.ts";
import { secretReference } from "../../services/secret-reference.ts";
import { authorityReferences, trustedAuthority } from "../../services/trusted-authority.ts";
import { checkSqlOptions, sqlFacts, sqlOptions, sqlReferences } from "./sql-options.ts";
import type { Target } from "./target.ts";

const options = z
  .strictObject({
    ...sqlOptions,
    host: databaseHost,
    port: z.int().min(1).max(65_535).default(5432),
    database: z.string().regex(/^[A-Za-z_][A-Za-z0-9_.$-]{0,62}$/, { error: "a database is a plain name" }),
    schema: z
      .string()
      .regex(/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/, {
        error: "a schema is 1 to 63 of a-z, 0-9 and _, not beginning with pg_",
      })
      .default("sealtree"),
    /** A URL with the writer's name and password. */
    login: secretReference.exactOptional(),
    user: databaseUser.exactOptional(),
    password: secretReference.exactOptional(),
    /** `off` on this machine only. */
    tls: z.enum(["verify", "off"]).exactOptional(),
    ca: trustedAuthority.exactOptional(),
  })
  .superRefine((given, context) => {
    const issue = (message: string) => context.addIssue({ code: "custom", message });
    checkSqlOptions(given, context);
    const [hasUser, hasPassword] = [given.user !== undefined, given.password !== undefined];
    if (given.login === undefined ? !(hasUser && hasPassword) : hasUser || hasPassword) {
      issue("give login, a reference to a URL, or user and password");
    }
    if (given.tls === "off" && !isThisMachine(given.host)) issue("tls can be off on this machine only");
    if (given.ca !== undefined && !usesTls(given)) issue("ca is of no use without tls: verify");
  });
export type PostgresTargetOptions = z.infer<typeof options>;

/** Rows of a PostgreSQL table (13 and later), sealed one by one, for programs that read them as they run. */
export const postgresTarget: Target<PostgresTargetOptions> = {
  describe: "a table in PostgreSQL, sealed row by row",
  options,
  facts: sqlFacts,
  references: (given) => [
    ...sqlReferences(given),
    ...[given.login, given.password].filter((reference) => reference !== undefined),
    ...authorityReferences(given.ca),
  ],
  place: ({ host, port, database, schema, owner_type: type, owner_id: id }) =>
    `${host}:${port}/${database}, schema ${schema}, ${type} ${id}`,
  toName: (name) => name,
  async open(given, access) {
    const { openPostgresTarget } = await import("./sql-postgres.ts");
    return await openPostgresTarget(given, access);
  },
};
