import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readWay } from "../../../src/rotation/rotators/mysql-preflight.ts";
import { discardStatement, hashNative, setPasswordStatement } from "../../../src/rotation/rotators/mysql-statements.ts";
import { mysqlRotator } from "../../../src/rotation/rotators/mysql.ts";
import { Secret } from "../../../src/secret/secret.ts";

const plain = { host: "db.example.com", users: ["test_a", "test_b"], admin: "${secret:prod/admin/MYSQL_URL}" };
/** `undefined` leaves an option out. */
const accepts = (own: Record<string, unknown>) => {
  const given = Object.entries({ ...plain, ...own }).filter(([, value]) => value !== undefined);
  return mysqlRotator.options.safeParse(Object.fromEntries(given)).success;
};

describe("the options of mysql", () => {
  it("are a host, users and an administrator at least", () => {
    expect(mysqlRotator.options.parse(plain)).toMatchObject({
      port: 3306,
      account_host: "%",
      terminate_sessions: false,
    });
    expect([accepts({ users: ["test_a"] }), accepts({ users: ["test_a"], outage: "accept" })]).toEqual([true, true]);
    expect(accepts({ admin: undefined, admin_user: "test_root", admin_password: "${env:TEST}" })).toBe(true);
  });

  it.each([
    ["a value in place of a reference", { admin: "mysql://test:test@db.example.com/" }],
    ["a host with more than a name", { host: "db.example.com/x" }],
    ["a user with a quote", { users: ["test'a"] }],
    ["one user twice", { users: ["test_a", "test_a"] }],
    ["three users", { users: ["test_a", "test_b", "test_c"] }],
    ["no TLS to another machine", { tls: "off" }],
    ["TLS to an address, whose name nobody can check", { host: "192.0.2.1" }],
    ["the administrator among the users", { admin: undefined, admin_user: "test_a", admin_password: "${env:TEST}" }],
    ["two administrators", { admin_user: "test_root", admin_password: "${env:TEST}" }],
    ["an outage with two users", { outage: "accept" }],
    ["ended connections with two passwords on one user", { users: ["test_a"], terminate_sessions: true }],
    ["an option of another name", { hots: "x" }],
  ])("are refused with %s", (_, own) => {
    expect(accepts(own)).toBe(false);
  });

  it("say what changes and what ends", () => {
    const about = (own: Record<string, unknown>) => {
      const options = mysqlRotator.options.parse({ ...plain, ...own });
      return [mysqlRotator.provider?.changing(options), typeof mysqlRotator.provider?.outage(options)];
    };
    expect(about({})).toEqual([["password", "user"], "undefined"]);
    expect(about({ users: ["test_a"] })).toEqual([["password"], "undefined"]);
    expect(about({ users: ["test_a"], outage: "accept" })).toEqual([["password"], "string"]);
  });
});

describe("the statements of mysql", () => {
  const password = Secret.text("test-password");
  const of = { user: "test_a", host: "%" };

  it("are those of each server's manual", () => {
    expect(setPasswordStatement("mariadb", of, password, "")).toBe(
      `ALTER USER 'test_a'@'%' IDENTIFIED BY PASSWORD '${hashNative(password.reveal())}'`,
    );
    expect(setPasswordStatement("mysql", of, password, "")).toBe(
      "ALTER USER 'test_a'@'%' IDENTIFIED BY 'test-password'",
    );
    expect(setPasswordStatement("mysql-dual", of, password, "test_a:x")).toBe(
      `ALTER USER 'test_a'@'%' IDENTIFIED BY 'test-password' RETAIN CURRENT PASSWORD ATTRIBUTE '{"sealtree":"test_a:x"}'`,
    );
    expect(discardStatement(of)).toBe("ALTER USER 'test_a'@'%' DISCARD OLD PASSWORD");
  });

  it("have the hash of MySQL's own PASSWORD() function, as its manual shows it", () => {
    expect(hashNative(Buffer.from("mypass"))).toBe("*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4");
  });

  it("never end a text early, whatever the password is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const attempt = () => setPasswordStatement("mysql", of, Secret.text(text), "");
        if (/^[\x20-\x7e]*$/.test(text) && !/['\\]/.test(text)) expect(attempt()).toContain(`'${text}'`);
        else expect(attempt).toThrow("a quote or a backslash");
      }),
    );
  });
});

describe("the server of mysql", () => {
  const two = { users: ["test_a", "test_b"] };
  const one = { users: ["test_a"] };

  it("is told by what VERSION() says", () => {
    expect(readWay("10.11.19-MariaDB-0+deb12u1", two)).toBe("mariadb");
    expect(readWay("8.0.40-0ubuntu0.24.04.1", two)).toBe("mysql");
    expect(readWay("8.4.3", one)).toBe("mysql-dual");
    expect(readWay("9.1.0", { ...one, outage: "accept" })).toBe("mysql");
  });

  it.each([
    ["5.7.44", two],
    ["8.0.20", one],
    ["10.3.39-MariaDB", two],
    ["11.4.2-MariaDB", one],
    ["strange", two],
  ])("is refused when it is %s", (version, rule) => {
    expect(() => readWay(version, rule)).toThrow(expect.objectContaining({ class: "limit" }));
  });
});
