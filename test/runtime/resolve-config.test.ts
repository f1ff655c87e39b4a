import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSealtreeError, SealtreeError } from "../../src/errors.ts";
import { resolveConfig } from "../../src/runtime/resolve-config.ts";
import { RuntimeSecret } from "../../src/runtime/runtime-secret.ts";
import { parseAddress } from "../../src/secret/address.ts";
import { Secret } from "../../src/secret/secret.ts";

/** Gives secrets of a map, and fails as a reader does. */
function readerOf(values: Readonly<Record<string, string | Uint8Array | SealtreeError>>) {
  const asked: string[] = [];
  const get = async (text: string): Promise<RuntimeSecret> => {
    asked.push(text);
    const value = values[text];
    if (value instanceof SealtreeError) throw value;
    if (value === undefined) throw new SealtreeError("E_SECRET_NOT_FOUND", `no secret ${text}`);
    const secret = typeof value === "string" ? Secret.text(value) : Secret.of(value, "binary");
    return new RuntimeSecret(parseAddress(text), "test", { value: secret });
  };
  return { get, asked };
}

async function failureOf(config: unknown, get: (text: string) => Promise<RuntimeSecret>): Promise<SealtreeError> {
  const error: unknown = await resolveConfig(config, get).catch((thrown: unknown) => thrown);
  if (isSealtreeError(error)) return error;
  throw new Error("it did not fail with an error of ours");
}

describe("resolveConfig", () => {
  it("puts values into strings anywhere, and keeps everything else", async () => {
    const { get } = readerOf({ "prod/api/KEY": "k3y", "prod/db/PASSWORD": "p@ss" });
    const when = new Date(0);
    const config = {
      port: 8080,
      isOn: true,
      nothing: null,
      left: undefined,
      when,
      url: "postgres://app:${secret:prod/db/PASSWORD}@db/${secret:prod/api/KEY}",
      list: ["${secret:prod/api/KEY}", 1, ["plain $HOME ${HOME}"]],
      escaped: "$${secret:prod/api/KEY}",
    };
    const resolved = await resolveConfig(config, get);
    expect(resolved).toEqual({
      ...config,
      url: "postgres://app:p@ss@db/k3y",
      list: ["k3y", 1, ["plain $HOME ${HOME}"]],
      escaped: "${secret:prod/api/KEY}",
    });
    expect(resolved.when).toBe(when);
    expect(config.list[0]).toBe("${secret:prod/api/KEY}");
  });

  it("asks for every secret once, and resolves nothing within a value", async () => {
    const { get, asked } = readerOf({ "a/b": "${secret:a/c}" });
    expect(await resolveConfig(["${secret:a/b}", "${secret:a/b}"], get)).toEqual(["${secret:a/c}", "${secret:a/c}"]);
    expect(asked).toEqual(["a/b"]);
  });

  it("takes a text alone, and keeps a key named __proto__ a key", async () => {
    const { get } = readerOf({ "a/b": "v" });
    expect(await resolveConfig("x${secret:a/b}", get)).toBe("xv");
    const config: unknown = JSON.parse('{"__proto__": {"admin": "${secret:a/b}"}}');
    const resolved = await resolveConfig(config, get);
    expect(JSON.stringify(resolved)).toBe('{"__proto__":{"admin":"v"}}');
    expect(Object.getPrototypeOf(resolved)).toBe(Object.prototype);
  });

  it("names all that are missing in one error, with their places", async () => {
    const { get } = readerOf({ "prod/api/KEY": "v" });
    const config = {
      db: { url: "${secret:prod/db/URL}" },
      keys: ["${secret:prod/api/KEY}", "${secret:prod/api/NONE}"],
    };
    const failure = await failureOf(config, get);
    expect(failure).toMatchObject({ code: "E_REFERENCE_MISSING", message: "2 references cannot be resolved" });
    expect(failure.hints.slice(0, 2)).toEqual([
      "db.url: prod/db/URL: no such secret",
      "keys.1: prod/api/NONE: no such secret",
    ]);
  });

  it("says what a source failed with, and how many more failed", async () => {
    const down = new SealtreeError("E_PROVIDER", "vault (transient): it is not there");
    const { get } = readerOf({ "a/b": down, "a/c": down });
    const failure = await failureOf(["${secret:a/b}", "${secret:a/c}"], get);
    expect(failure).toMatchObject({ code: "E_PROVIDER", hints: ["1 more of the references failed"] });
  });

  it("refuses what begins as a reference and is none, without its content", async () => {
    const failure = await failureOf({ url: "${secret:canary and more}" }, readerOf({}).get);
    expect(failure.code).toBe("E_REFERENCE_INVALID");
    expect([failure.message, ...failure.hints].join()).not.toContain("canary");
    const place = await failureOf({ "canary key with spaces": "${secret:}" }, readerOf({}).get);
    expect(place.message).not.toContain("canary");
  });

  it("refuses a binary value within text, and a config that holds itself", async () => {
    const { get } = readerOf({ "a/b": Uint8Array.of(255) });
    expect((await failureOf("${secret:a/b}", get)).code).toBe("E_VALUE_UNFIT");
    const loop: Record<string, unknown> = { text: "plain" };
    loop["self"] = [loop, loop];
    expect((await failureOf(loop, get)).code).toBe("E_INPUT_INVALID");
  });

  it("gives every JSON value without references back as it was", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (config) => {
        const json = JSON.stringify(config).replaceAll("${secret:", "");
        expect(JSON.stringify(await resolveConfig(JSON.parse(json) as unknown, readerOf({}).get))).toBe(json);
      }),
      { numRuns: 100 },
    );
  });
});
