import { describe, expect, it } from "vitest";
import { redisRotator } from "../../../src/rotation/rotators/redis.ts";

const rule = { servers: ["redis.example.com"], user: "app", admin_password: "${env:ADMIN}" };

describe("the options of redis", () => {
  it("are as small as this, with a password of 40 characters", () => {
    expect(redisRotator.options.parse(rule)).toMatchObject({
      admin_user: "default",
      password: { kind: "password", options: { length: 40 } },
    });
  });

  it.each(["localhost", "10.0.0.1:6380", "[::1]", "[fe80::1]:6379", "a-b.example.com:1"])(
    "take the server %s",
    (server) => {
      expect(redisRotator.options.safeParse({ ...rule, servers: [server] }).success).toBe(true);
    },
  );

  it.each([
    ["a server with a user", { servers: ["test-user:test-word@host"] }],
    ["a server that is a URL", { servers: ["redis://host"] }],
    ["a server with a path", { servers: ["host/1"] }],
    ["no server", { servers: [] }],
    ["a user that is a rule of Redis", { user: ">test-word" }],
    ["a user with a space", { user: "app on" }],
    ["a user with a line break", { user: "app\nQUIT" }],
    ["no user", { user: "" }],
    ["a password in the open", { admin_password: "test-word" }],
    ["the administrator for a user", { user: "default" }],
    ["another store", { users_in: "cloud" }],
    ["a certificate that is none", { ca: "test-word" }],
    ["an option that is none", { requirepass: true }],
  ])("are refused with %s, which is not repeated", (_, own) => {
    const { success, error } = redisRotator.options.safeParse({ ...rule, ...own });
    expect(success).toBe(false);
    expect(error?.issues.map(({ message }) => message).join()).not.toContain("test-word");
  });

  it("say their references, and that nothing ends", () => {
    const options = redisRotator.options.parse({ ...rule, ca: "${secret:prod/admin/CA}" });
    expect(redisRotator.provider?.references(options)).toEqual([
      { kind: "environment", name: "ADMIN" },
      { kind: "secret", address: { scope: "prod/admin", name: "CA" } },
    ]);
    expect(redisRotator.provider?.outage(options)).toBeUndefined();
    expect(redisRotator.provider?.changing(options)).toEqual(["password"]);
  });
});
