import { z } from "zod";
import type { Rotator } from "./rotator.ts";
import { secretReference } from "../../services/secret-reference.ts";
import { authorityReferences, trustedAuthority } from "../../services/trusted-authority.ts";
import { valueSpec } from "./value-spec.ts";

/** `host` or `host:port`, an address of IPv6 in brackets. */
export const serverPattern = /^(?:\[([0-9a-fA-F:]{2,39})\]|([A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})))(?::(\d{1,5}))?$/;
const userName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}$/, "a user of Redis is named with A-Z a-z 0-9 _ . @ -");

const options = z
  .strictObject({
    /** Every server that the users are on: Redis does not copy them to replicas or across a cluster. */
    servers: z.array(z.string().regex(serverPattern, "a server is written host or host:port")).min(1).max(64),
    user: userName,
    admin_user: userName.default("default"),
    admin_password: secretReference,
    /** `verify` for all servers but those on this machine, unless it is said. */
    tls: z.enum(["verify", "off"]).exactOptional(),
    ca: trustedAuthority.exactOptional(),
    /** Where the server keeps its users: found out, unless it is said. */
    users_in: z.enum(["aclfile", "configuration", "memory"]).exactOptional(),
    password: valueSpec,
  })
  .refine(({ user, admin_user: admin }) => user !== admin, {
    error: "the administrator cannot be the user: a rotation would lock itself out",
  });
export type RedisOptions = z.infer<typeof options>;

/** Passwords of a user of Redis 6 or later, which may have several at once (Redis, "ACL"). */
export const redisRotator: Rotator<RedisOptions> = {
  name: "redis",
  kind: "chosen",
  describe: "the password of a user of Redis",
  options,
  provider: {
    parts: ["password", "user"],
    changing: () => ["password"],
    outage: () => undefined,
    references: ({ admin_password: reference, ca }) => [reference, ...authorityReferences(ca)],
    propagationMs: () => 2_000,
    async open(checked, access) {
      const { openRedisProvider } = await import("./redis-provider.ts");
      return openRedisProvider(checked, access);
    },
  },
};
