import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAdministrator } from "../../../src/rotation/rotators/database-rule.ts";
import { connectFailure, queryFailure } from "../../../src/services/postgres-client.ts";
import { postgresRotator } from "../../../src/rotation/rotators/postgres.ts";
import { makeScramVerifier } from "../../../src/rotation/rotators/scram-verifier.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { providerAccess } from "../../support/provider-access.ts";

const plain = {
  host: "db.example.com",
  database: "app",
  users: ["test_a", "test_b"],
  admin: "${secret:prod/admin/PG_URL}",
};
/** `undefined` leaves an option out. */
const parse = (own: Record<string, unknown>) => {
  const given = Object.entries({ ...plain, ...own }).filter(([, value]) => value !== undefined);
  return postgresRotator.options.safeParse(Object.fromEntries(given));
};

describe("the options of postgres", () => {
  it("are a host, a database, users and an administrator at least", () => {
    expect(parse({}).data).toMatchObject({ port: 5432, terminate_sessions: false, propagation_seconds: 0 });
    expect(parse({ users: ["test_a"], outage: "accept" }).success).toBe(true);
    expect(parse({ admin: undefined, admin_user: "test_root", admin_password: "${env:TEST}" }).success).toBe(true);
    expect(parse({ host: "127.0.0.1", tls: "off" }).success).toBe(true);
    expect(parse({ host: "2001:db8::1" }).success).toBe(true);
  });

  it.each([
    ["a value in place of a reference", { admin: "postgres://test:test@db.example.com/" }],
    ["a password in place of a reference", { admin: undefined, admin_user: "test_root", admin_password: "test" }],
    ["a host with a port", { host: "db.example.com:5432" }],
    ["a host that is a folder", { host: "/run/postgresql" }],
    ["a database with a quote", { database: 'app"' }],
    ["a user with a quote", { users: ['test"a', "test_b"] }],
    ["a user with a blank", { users: ["test a", "test_b"] }],
    ["one user, and no word of the outage", { users: ["test_a"] }],
    ["one user twice", { users: ["test_a", "test_a"] }],
    ["no TLS to another machine", { tls: "off" }],
    ["the administrator among the users", { admin: undefined, admin_user: "test_a", admin_password: "${env:TEST}" }],
    ["two administrators", { admin_user: "test_root", admin_password: "${env:TEST}" }],
    ["a certificate where no TLS is", { host: "localhost", ca: "${env:TEST}" }],
    ["an outage with two users", { outage: "accept" }],
    ["an option of another name", { hots: "x" }],
  ])("are refused with %s", (_, own) => {
    expect(parse(own).success).toBe(false);
  });

  it("never repeat what was written in a message", () => {
    const { error } = parse({ admin: "test-value-in-the-wrong-place", host: "test-value:1", users: ["test-value'"] });
    expect(error?.issues.map(({ message }) => message).join(" ")).not.toContain("test-value");
  });
});

describe("the administrator of a database", () => {
  const rule = { ...plain, port: 5432, users: plain.users, terminate_sessions: false, propagation_seconds: 0 };
  const admin = { kind: "environment", name: "TEST_ADMIN" } as const;
  const read = (url: string) =>
    readAdministrator({ ...rule, admin }, ["postgres:", "postgresql:"], providerAccess({ TEST_ADMIN: url }));

  it("is in a URL of the rule's own server, and nothing else of it is used", () => {
    const login = read("postgresql://test%20root:test%2Fpassword@DB.example.com/else?sslmode=disable\n");
    expect([login.user, login.password.revealText()]).toEqual(["test root", "test/password"]);
    expect(read("postgres://root:test@db.example.com:5432/").user).toBe("root");
  });

  it.each([
    "postgres://root:test-password@evil.example.com/",
    "postgres://root:test-password@db.example.com:5433/",
    "postgres://root:test-password@db.example.com.evil.example.com/",
    "mysql://root:test-password@db.example.com/",
    "postgres://root@db.example.com/",
    "postgres://:test-password@db.example.com/",
    "postgres://root:%zz@db.example.com/",
    "postgres://test_a:test-password@db.example.com/",
    "test-password",
    "",
  ])("is not in %j, which is not repeated", (url) => {
    const attempt = () => read(url);
    expect(attempt).toThrow(expect.objectContaining({ class: "auth" }));
    expect(attempt).not.toThrow("test-password");
    expect(attempt).not.toThrow("evil");
  });
});

describe("a SCRAM verifier", () => {
  const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");

  // RFC 7677, section 3: the exchange for the password "pencil".
  it("lets the server check the proof of RFC 7677, and gives its signature", async () => {
    const verifier = await makeScramVerifier(Secret.text("pencil"), 4096, () => salt);
    const [, storedKey = "", serverKey = ""] = /\$([^$:]+):([^$:]+)$/.exec(verifier) ?? [];
    const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const message = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=${salt.toString("base64")},i=4096,c=biws,r=${nonce}`;
    const proof = Buffer.from("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "base64");
    const signature = createHmac("sha256", Buffer.from(storedKey, "base64")).update(message).digest();
    const clientKey = Buffer.from(proof.map((byte, at) => byte ^ (signature[at] ?? 0)));
    expect(createHash("sha256").update(clientKey).digest("base64")).toBe(storedKey);
    const own = createHmac("sha256", Buffer.from(serverKey, "base64")).update(message).digest("base64");
    expect(own).toBe("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  });

  it("has the rounds and the salt, and never a quote, whatever the password is", async () => {
    const passwords = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(passwords, async (password) => {
        const verifier = await makeScramVerifier(Secret.text(password), 10, () => salt);
        expect(verifier).toMatch(/^SCRAM-SHA-256\$10:W22ZaJ0SNY7soEsUEjb6gQ==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/);
        const salted = pbkdf2Sync(password, salt, 10, 32, "sha256");
        expect(verifier.endsWith(createHmac("sha256", salted).update("Server Key").digest("base64"))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

describe("a failure of PostgreSQL", () => {
  const server = {
    host: "db.example.com",
    port: 5432,
    database: "app",
    page: "docs/rotators/postgres.md",
    tls: undefined,
    timeoutMs: 1000,
  };
  const sent = (code: string, severity = "ERROR") =>
    Object.assign(new Error("test-word-of-the-server"), { code, severity, routine: "test" });

  it.each([
    ["28P01", "auth"],
    ["28000", "auth"],
    ["3D000", "auth"],
    ["53300", "transient"],
    ["57P03", "transient"],
  ])("at the login of the administrator, %s, is %s", (code, failureClass) => {
    expect(connectFailure(server, sent(code, "FATAL")).class).toBe(failureClass);
  });

  it.each([
    ["42501", "ERROR", "auth"],
    ["42704", "ERROR", "limit"],
    ["25006", "ERROR", "transient"],
    ["XX000", "ERROR", "transient"],
    ["40P01", "ERROR", "transient"],
    ["22023", "ERROR", "rejected"],
    ["28P01", "ERROR", "rejected"],
    ["57P01", "FATAL", "unknown"],
  ])("of a statement, %s %s, is %s", (code, severity, failureClass) => {
    expect(queryFailure(server, "change the password", sent(code, severity)).class).toBe(failureClass);
  });

  it.each(["ECONNREFUSED", "ENOTFOUND", "ETIMEDOUT", "EPIPE"])("without a word of it, %s, is as it must be", (code) => {
    const error = Object.assign(new Error("test-word-of-the-system"), { code });
    expect(connectFailure(server, error).class).toBe("transient");
    expect(queryFailure(server, "change the password", error).class).toBe("unknown");
  });

  it("keeps the server's words to itself", () => {
    for (const failure of [connectFailure(server, sent("28P01")), queryFailure(server, "do it", sent("22023"))]) {
      expect([failure.message, ...failure.hints, String(failure.cause)].join(" ")).not.toContain("test-word");
    }
  });
});
