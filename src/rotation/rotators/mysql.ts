import { isIP } from "node:net";
import { z } from "zod";
import { checkDatabaseRule, databaseOptions, databaseTraits } from "./database-rule.ts";
import { usesTls } from "../../services/database-login.ts";
import type { Rotator } from "./rotator.ts";

const options = z
  .strictObject({
    ...databaseOptions,
    port: z.int().min(1).max(65_535).default(3306),
    /** The host part of the accounts, which are named 'user'@'host'. */
    account_host: z
      .string()
      .regex(/^[A-Za-z0-9._%:/-]{1,255}$/, { error: "account_host is the part of an account's name after the @" })
      .default("%"),
  })
  .superRefine(checkDatabaseRule)
  .refine((rule) => !usesTls(rule) || isIP(rule.host) === 0, {
    error: "with TLS the host is a name, which stands in the certificate of the server",
  })
  .refine(
    ({ users, outage, terminate_sessions: terminates }) => !terminates || users.length > 1 || outage !== undefined,
    {
      error: "terminate_sessions would end the connections of the new password too: name two users",
    },
  );
export type MysqlOptions = z.infer<typeof options>;

/** The passwords of accounts of MariaDB (10.4 and later) and MySQL (8.0.21 and later). */
export const mysqlRotator: Rotator<MysqlOptions> = {
  name: "mysql",
  kind: "chosen",
  describe: "the password of a MySQL or MariaDB user, or of two that take turns",
  options,
  provider: {
    ...databaseTraits,
    async open(checked, access) {
      const { openMysql } = await import("./mysql-provider.ts");
      return openMysql(checked, access);
    },
  },
};
