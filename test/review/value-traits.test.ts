import { describe, expect, it } from "vitest";
import { readTraits } from "../../src/review/value-traits.ts";
import { Secret } from "../../src/secret/secret.ts";

const key = Buffer.alloc(32, 1);
const traits = (text: string) => readTraits(Secret.text(text), key);
const part = (object: unknown) => Buffer.from(JSON.stringify(object)).toString("base64url");

/** A test certificate, made for this test; its key was thrown away. It ended on 2026-11-23, 10:19:50 UTC. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBTDCB/6ADAgECAhRk7KK8Kw+KAszuUc6TFfEEQv9wRDAFBgMrZXAwHDEaMBgG
A1UEAwwRdGVzdC5leGFtcGxlLnRlc3QwHhcNMjYxMTIyMTAxOTUwWhcNMjYxMTIz
MTAxOTUwWjAcMRowGAYDVQQDDBF0ZXN0LmV4YW1wbGUudGVzdDAqMAUGAytlcAMh
AOpPXdFbus560v8s9AhGjo7xFppuexPi4FpgYbUneuBdo1MwUTAdBgNVHQ4EFgQU
YC7yhoIMB1Wll6x4ZWRErS/eSBIwHwYDVR0jBBgwFoAUYC7yhoIMB1Wll6x4ZWRE
rS/eSBIwDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQCIbHmqz+obzE+jFvf7Fi1H
+ftJry8nFN84isgnd07Ls4aCsOIXRHDFgAOWQiq3EBvHb8MJaGRa28yWUkMc0bYB
-----END CERTIFICATE-----
`;

describe("readTraits", () => {
  it("gives equal values one digest, and another under another key", () => {
    expect(traits("test-value").digest).toBe(traits("test-value").digest);
    expect(traits("test-value").digest).not.toBe(traits("test-valuf").digest);
    expect(traits("test-value").digest).not.toBe(readTraits(Secret.text("test-value"), Buffer.alloc(32, 2)).digest);
  });

  it.each([
    ["", "it is empty"],
    ["short", "it has less than 8 characters"],
    ["Password123", "it is a default word"],
    ["<placeholder>", "it is a default word"],
    ["aaaaaaaaaaaaaaaaaaaa", "it repeats few characters"],
    ["postgres://app@db.test/app", undefined],
    ["9f8a1c0d7e6b5a43", undefined],
  ])("says of %j: %s", (text, weakness) => {
    expect(traits(text).weakness).toBe(weakness);
  });

  it("finds the end of a certificate, also after a key, and of a token", () => {
    const end = { what: "certificate", atMs: Date.parse("2026-11-23T10:19:50Z") };
    expect(traits(certificate).expiry).toEqual(end);
    expect(traits(`-----BEGIN TEST KEY-----\ndGVzdA==\n-----END TEST KEY-----\n${certificate}`).expiry).toEqual(end);
    const token = `${part({ alg: "HS256" })}.${part({ exp: 1_600_000_000 })}.c2ln`;
    expect(traits(token).expiry).toEqual({ what: "token", atMs: 1_600_000_000_000 });
  });

  it.each([
    "-----BEGIN CERTIFICATE-----\ndGVzdA==\n-----END CERTIFICATE-----",
    `${part({ alg: "HS256" })}.${part({ exp: "soon" })}.c2ln`,
    `${part({ alg: "HS256" })}.${part(null)}.c2ln`,
    `${part({ typ: "JWT", no: 1 })}.${part({ exp: 1 })}.c2ln`,
    "first-part-x.second.third",
  ])("takes %j for neither", (text) => {
    expect(traits(text).expiry).toBeUndefined();
  });

  it("looks at bytes that are no text without a word", () => {
    const { weakness, expiry } = readTraits(Secret.of(Buffer.from([0, 1]), "binary"), key);
    expect({ weakness, expiry }).toEqual({ weakness: undefined, expiry: undefined });
  });
});
