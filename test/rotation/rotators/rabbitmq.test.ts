import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashPassword, isHashOf } from "../../../src/rotation/rotators/rabbitmq-password.ts";
import { rabbitmqRotator } from "../../../src/rotation/rotators/rabbitmq.ts";
import { Secret } from "../../../src/secret/secret.ts";

const rule = {
  url: "https://mq.example.com:15671",
  users: ["app_a", "app_b"],
  admin_user: "rotator",
  admin_password: "${env:ADMIN}",
};

describe("the options of rabbitmq", () => {
  it.each([
    ["the administrator among the users", { users: ["rotator", "app"] }, "lock itself out"],
    ["one user and no word about the outage", { users: ["app"] }, "outage: accept"],
    ["two users and an outage", { outage: "accept" }, "need no outage"],
    ["the same user twice", { users: ["app", "app"] }, "must differ"],
    ["a user that climbs", { users: ["../app", "b"] }, "a user is"],
    ["no TLS", { url: "http://mq.example.com:15672" }, "url is https"],
    ["a password in the URL", { url: "https://a:test-word@mq.example.com" }, "url is https"],
    ["a password in the open", { admin_password: "test-word" }, "never the value itself"],
  ])("are refused with %s", (_, own, problem) => {
    const messages = rabbitmqRotator.options.safeParse({ ...rule, ...own }).error?.issues.map(({ message }) => message);
    expect(messages?.join()).toContain(problem);
    expect(messages?.join()).not.toContain("test-word");
  });

  it("say what ends with one user, and what changes", () => {
    const two = rabbitmqRotator.options.parse(rule);
    const one = rabbitmqRotator.options.parse({ ...rule, users: ["app"], outage: "accept" });
    expect([two, one].map((each) => rabbitmqRotator.provider?.outage(each) !== undefined)).toEqual([false, true]);
    expect([two, one].map((each) => rabbitmqRotator.provider?.changing(each))).toEqual([
      ["password", "user"],
      ["password"],
    ]);
  });
});

describe("the hash of a password", () => {
  it("is the one that RabbitMQ's documentation works out", () => {
    // RabbitMQ, "Credentials and Passwords": test12 with the salt 908DC60A.
    const hash = hashPassword(Secret.text("test12"), undefined, () => Buffer.from("908DC60A", "hex"));
    expect(hash).toEqual({
      password_hash: "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR",
      hashing_algorithm: "rabbit_password_hashing_sha256",
    });
  });

  it("is that of its password and of no other", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.boolean(), (one, other, isLong) => {
        const algorithm = `rabbit_password_hashing_sha${isLong ? "512" : "256"}`;
        const hash = hashPassword(Secret.text(one), algorithm, (size) => randomBytes(size));
        expect(hash.hashing_algorithm).toBe(algorithm);
        expect(isHashOf(hash, Secret.text(one))).toBe(true);
        expect(isHashOf(hash, Secret.text(other))).toBe(Buffer.from(one).equals(Buffer.from(other)));
      }),
    );
  });

  it("is none when it is empty or cut, and is not known for other algorithms", () => {
    const password = Secret.text("test-word");
    const algorithm = "rabbit_password_hashing_sha256";
    expect(isHashOf({ password_hash: "", hashing_algorithm: algorithm }, password)).toBe(false);
    expect(isHashOf({ password_hash: "AAAA", hashing_algorithm: algorithm }, password)).toBe(false);
    expect(
      isHashOf({ password_hash: "AAAA", hashing_algorithm: "rabbit_password_hashing_md5" }, password),
    ).toBeUndefined();
    expect(hashPassword(password, "rabbit_password_hashing_md5", (size) => randomBytes(size)).hashing_algorithm).toBe(
      algorithm,
    );
  });
});
