import { z } from "zod";
import { isServiceUrl } from "../../net/http-client.ts";
import type { Rotator } from "./rotator.ts";
import { secretReference } from "../../services/secret-reference.ts";
import { authorityReferences, trustedAuthority } from "../../services/trusted-authority.ts";
import { valueSpec } from "./value-spec.ts";

const userName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,62}$/, {
  error: "a user is 1 to 63 letters, digits, _ . and -, and begins with a letter or _",
});

const options = z
  .strictObject({
    /** Of the management plug-in, such as `https://mq.example.com:15671`. */
    url: z
      .string()
      .refine(isServiceUrl, { error: "url is https, or http on this machine, without a user and a query" }),
    /** One, or two that take turns. */
    users: z.array(userName).min(1).max(2),
    /** `accept`, where one user has one password, which ends before the new one is deployed. */
    outage: z.literal("accept").exactOptional(),
    admin_user: userName,
    admin_password: secretReference,
    ca: trustedAuthority.exactOptional(),
    /** Longer where the server caches logins (rabbitmq_auth_backend_cache). */
    propagation_seconds: z.int().min(0).max(3600).default(5),
    password: valueSpec,
  })
  .superRefine(({ users, outage, admin_user: admin }, context) => {
    const issue = (message: string) => context.addIssue({ code: "custom", message });
    if (new Set(users).size < users.length) issue("the two users must differ");
    if (outage !== undefined && users.length > 1) issue("two users need no outage");
    if (outage === undefined && users.length === 1) {
      issue("a user of RabbitMQ has one password: give two users, or write outage: accept");
    }
    if (users.includes(admin)) issue("the administrator cannot be one of the users: a rotation would lock itself out");
  });
export type RabbitmqOptions = z.infer<typeof options>;

/** The passwords of RabbitMQ users, over the HTTP API of its management plug-in. */
export const rabbitmqRotator: Rotator<RabbitmqOptions> = {
  name: "rabbitmq",
  kind: "chosen",
  describe: "the password of a RabbitMQ user, or of two that take turns",
  options,
  provider: {
    parts: ["password", "user"],
    changing: ({ users }) => (users.length > 1 ? ["password", "user"] : ["password"]),
    outage: ({ users }) =>
      users.length > 1
        ? undefined
        : `${users[0] ?? "the user"} has one password: programs cannot log in from the change until they have the new one`,
    references: ({ admin_password: reference, ca }) => [reference, ...authorityReferences(ca)],
    propagationMs: ({ propagation_seconds: seconds }) => seconds * 1000,
    async open(checked, access) {
      const { openRabbitmq } = await import("./rabbitmq-provider.ts");
      return openRabbitmq(checked, access);
    },
  },
};
