import { describe, expect, test } from "vitest";
import { parseIdentities } from "../../src/crypto/identity.ts";
import { readSops } from "../../src/migrate/read-sops.ts";
import { formatOfName, parseSopsFile, type SopsFormat } from "../../src/migrate/sops-file.ts";
import type { SourceContents } from "../../src/migrate/source-values.ts";
import { testIdentity } from "../vectors/test-keys.ts";
import { readFixture, textsOf } from "./fixtures.ts";

const identities = parseIdentities(testIdentity);

async function read(bytes: Uint8Array, format?: SopsFormat): Promise<SourceContents> {
  return await readSops(parseSopsFile(bytes, format), identities, "cert.p12");
}

function fixture(name: string): string {
  return readFixture(name).toString("utf8");
}

describe("a file of sops", () => {
  test("in YAML gives every value, its type and the comments above it", async () => {
    const contents = await read(readFixture("sops-yaml"));
    expect(textsOf(contents)).toEqual({
      api_key: Buffer.from("word #1: é").toString("latin1"),
      "db.user": "joe",
      "db.port": "5432",
      "db.ratio": "1.5",
      "db.tls": "true",
      "db.hosts.0": "one",
      "db.hosts.1": "two",
      region_unencrypted: "eu-central-1",
      lines: "first\nsecond\n",
    });
    expect(contents.values.map(({ type }) => type)).toEqual([
      "text",
      "text",
      "integer",
      "float",
      "boolean",
      "text",
      "text",
      "text",
      "text",
    ]);
    expect(contents.values[0]?.comments).toEqual([{ text: " about api", isPrivate: true }]);
    expect(contents.values[1]?.comments).toEqual([{ text: " about user", isPrivate: true }]);
    expect(contents.values.filter(({ isOpen }) => isOpen).map(({ path }) => path)).toEqual([["region_unencrypted"]]);
    expect(contents.leftOut).toEqual([{ path: ["gone"], reason: "null, which is no value" }]);
  });

  test("in JSON, .env, INI and binary gives every value", async () => {
    expect(textsOf(await read(readFixture("sops-json")))).toEqual({
      k2: "kept order",
      "a.x": "1.5",
      "a.y.0": "true",
      "a.y.2": "z",
      note_unencrypted: "open",
    });
    expect(textsOf(await read(readFixture("sops-env")))).toEqual({ A: "1", B: '"x y"', C_unencrypted: "a\nb" });
    expect(textsOf(await read(readFixture("sops-ini")))).toEqual({
      top: "0",
      "db.user": "joe",
      "db.port_unencrypted": "5432",
    });
    expect(textsOf(await read(readFixture("sops-bin")))).toEqual({ "cert.p12": "a\0\xffb" });
  });

  test("is taken for what its name or its text says", () => {
    expect(formatOfName("secrets.enc.yaml")).toBe("yaml");
    expect(formatOfName("config/.env.production")).toBe("dotenv");
    expect(formatOfName("cert.p12")).toBeUndefined();
    for (const [name, format] of [
      ["yaml", "yaml"],
      ["json", "json"],
      ["env", "dotenv"],
      ["ini", "ini"],
      ["bin", "binary"],
    ] as const) {
      expect(parseSopsFile(readFixture(`sops-${name}`)).format).toBe(format);
    }
  });

  test.each([
    [
      "a sealed value in another place",
      (text: string) => text.replace("user:", "name:"),
      /name is not sealed for its place/,
    ],
    [
      "an open value that was changed",
      (text: string) => text.replace("eu-central-1", "eu-central-2"),
      /authentication code/,
    ],
    ["a value that was taken out", (text: string) => text.replace(/^lines: .*\n/m, ""), /authentication code/],
    [
      "a plain value where one is sealed",
      (text: string) => text.replace(/^lines: .*$/m, "lines: open"),
      /lines is not sealed/,
    ],
    [
      "another time",
      (text: string) => text.replace(/lastmodified: "\d{4}/, 'lastmodified: "1999'),
      /authentication code/,
    ],
  ])("with %s is refused", async (_what, change, message) => {
    const changed = change(fixture("sops-yaml"));
    expect(changed).not.toBe(fixture("sops-yaml"));
    await expect(read(Buffer.from(changed), "yaml")).rejects.toMatchObject({
      code: "E_SOURCE_INTEGRITY",
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ["no metadata", "a: 1\n", /no sops metadata/],
    ["no code", fixture("sops-yaml").replace(/^ {4}mac: .*\n/m, ""), /no message authentication code/],
    ["no age recipient", fixture("sops-yaml").replace("    age:\n", "    pgp:\n"), /no age recipient, only to pgp/],
    [
      "two rules",
      fixture("sops-yaml").replace(/^ {4}version/m, "    encrypted_regex: x\n    version"),
      /more than one rule/,
    ],
    ["an alias", `x: &a 1\ny: *a\n${fixture("sops-yaml")}`, /alias/],
    [
      "a pattern of Go alone",
      fixture("sops-yaml").replace("unencrypted_suffix: _unencrypted", "encrypted_regex: '\\Aa'"),
      /regular expression/,
    ],
  ])("with %s is refused with the reason", async (_what, text, message) => {
    await expect(async () => await read(Buffer.from(text), "yaml")).rejects.toMatchObject({
      code: "E_INPUT_INVALID",
      message: expect.stringMatching(message),
    });
  });

  test("for another key is refused", async () => {
    await expect(readSops(parseSopsFile(readFixture("sops-yaml")), [], "x")).rejects.toMatchObject({
      code: "E_NO_ACCESS",
    });
  });
});
