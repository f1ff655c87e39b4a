import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkPlaces,
  fingerprintRule,
  readParts,
  rotatedNames,
  writeParts,
} from "../../src/rotation/credential-values.ts";
import type { Rule } from "../../src/rotation/policy.ts";
import { parseAddress, parseSecretName, type SecretName } from "../../src/secret/address.ts";
import { Secret } from "../../src/secret/secret.ts";

const address = parseAddress("prod/db/DATABASE");
const user = parseSecretName("DB_USER");
const parts = ["password", "user"] as const;

function rule(as: Rule["as"], companions: Record<string, SecretName> = {}): Rule {
  return {
    type: undefined,
    intervalMs: "never",
    atMs: 0,
    noticeMs: 0,
    isRollbackAllowed: true,
    graceMs: 0,
    rotator: "postgres",
    options: {},
    as,
    companions: new Map(Object.entries(companions)),
    owner: undefined,
    runbook: undefined,
    publicPath: undefined,
  } as Rule;
}

function written(as: Rule["as"], present: string | undefined, own: Record<string, string>, companions = {}) {
  const values = new Map(present === undefined ? [] : [[address.name, Secret.text(present)]]);
  const secrets = Object.fromEntries(Object.entries(own).map(([part, text]) => [part, Secret.text(text)]));
  const credential = { id: "app_b", parts: secrets };
  return writeParts(address, rule(as, companions), [...parts], values, credential);
}

describe("the parts of a credential", () => {
  it("come back from a URL and from JSON as they were put in, whatever their characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), fc.string({ minLength: 1 }), (password, name) => {
        for (const [as, present] of [
          ["url", "postgres://old:gone@db.example.test:5432/app?sslmode=verify-full"],
          ["json", '{"host":"db.example.test","password":"gone"}'],
        ] as const) {
          const values = written(as, present, { password, user: name });
          const read = readParts(address, rule(as), [...parts], values);
          expect([read["password"]?.revealText(), read["user"]?.revealText()]).toEqual([password, name]);
        }
      }),
    );
  });

  it("leave the rest of a URL and of an object alone", () => {
    const url = written("url", "postgres://old:gone@db.example.test:5432/app?sslmode=require", {
      password: "p@/:",
      user: "u",
    });
    expect(url.get(address.name)?.revealText()).toBe(
      "postgres://u:p%40%2F%3A@db.example.test:5432/app?sslmode=require",
    );
    const json = written("json", '{"host":"h","user":"old"}', { password: "p", user: "u" });
    expect(JSON.parse(json.get(address.name)?.revealText() ?? "")).toEqual({ host: "h", user: "u", password: "p" });
  });

  it("stand beside when the rule says so", () => {
    const values = written("plain", "old", { password: "p", user: "u" }, { user });
    expect([...values].map(([name, secret]) => [name, secret.revealText()])).toEqual([
      ["DATABASE", "p"],
      ["DB_USER", "u"],
    ]);
    expect(rotatedNames(address, rule("plain", { user }))).toEqual(["DATABASE", "DB_USER"]);
  });

  it("are none in a value of another kind", () => {
    const read = (as: Rule["as"], text: string) =>
      readParts(address, rule(as), [...parts], new Map([[address.name, Secret.text(text)]]));
    expect(read("url", "just a password")).toEqual({});
    expect(read("url", "postgres://%zz@host/db")).toEqual({});
    expect(read("json", "[1]")).toEqual({});
    expect(read("json", '{"password": 7}')).toEqual({});
    expect(() => written("url", "just a password", { password: "p", user: "u" })).toThrow("not a URL");
    expect(() => written("json", "[1]", { password: "p", user: "u" })).toThrow("not a JSON object");
  });

  it("must have a place, each one of its own", () => {
    const check = (of: Rule, changing: readonly string[]) => () => {
      checkPlaces(address, of, [...parts], changing);
    };
    expect(check(rule("plain"), ["password", "user"])).toThrow("does not say where the user is kept");
    expect(check(rule("plain", { nonsense: user }), ["password"])).toThrow("has no part nonsense");
    expect(check(rule("plain", { user: address.name }), ["password", "user"])).toThrow("in one secret");
    for (const of of [rule("plain", { user }), rule("url"), rule("json")]) check(of, ["password", "user"])();
  });
});

describe("the fingerprint of a rule", () => {
  it("changes with how the value is made and kept, and with nothing else", () => {
    const base = fingerprintRule(rule("plain"));
    expect(fingerprintRule({ ...rule("plain"), graceMs: 5, owner: "alice" })).toBe(base);
    const others = [rule("url"), rule("plain", { user }), { ...rule("plain"), options: { users: ["a"] } }];
    expect(new Set([base, ...others.map(fingerprintRule)]).size).toBe(4);
  });
});
