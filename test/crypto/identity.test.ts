import { format, inspect } from "node:util";
import { identityToRecipient } from "age-encryption";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeBech32 } from "../../src/crypto/bech32.ts";
import { generateIdentity, parseIdentities } from "../../src/crypto/identity.ts";
import { pluginOf } from "../../src/crypto/plugin-identity.ts";
import type { GeneratedKind } from "../../src/crypto/recipient.ts";
import { SealtreeError } from "../../src/errors.ts";

const kinds: readonly GeneratedKind[] = ["x25519", "hybrid"];
const seed = Buffer.from("sealtree test identity 1, public");
const classic = await generateIdentity("x25519", () => seed);
const hybrid = await generateIdentity("hybrid", () => seed);

function failureOf(text: string): SealtreeError {
  try {
    parseIdentities(text);
  } catch (error) {
    if (error instanceof SealtreeError) return error;
  }
  throw new Error("the identities were accepted");
}

describe("generateIdentity", () => {
  it("makes the recipient that age-encryption derives, for any seed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...kinds),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        async (kind, bytes) => {
          const { identity, recipient } = await generateIdentity(kind, () => bytes);
          expect(recipient).toEqual({ kind, text: await identityToRecipient(identity) });
          expect(await parseIdentities(identity)[0]?.recipients()).toEqual([recipient]);
        },
      ),
      { numRuns: 20 },
    );
  });

  it("spells the private key as age does", () => {
    expect(classic.identity).toBe("AGE-SECRET-KEY-1WDJKZMR5WFJK2GR5V4EHGGRFV3JKUARFW3UJQVFVYPC82CNVD93SLC4HYR");
    expect(hybrid.identity).toMatch(/^AGE-SECRET-KEY-PQ-1[A-Z0-9]{58}$/);
  });

  it("makes another one each time", async () => {
    const made = await Promise.all([generateIdentity("x25519"), generateIdentity("x25519")]);
    expect(made[0].identity).not.toBe(made[1].identity);
  });
});

describe("parseIdentities", () => {
  it("reads an identity file with comments, blank lines and CRLF", async () => {
    const text = [
      "# created: 2026-01-01",
      `# public key: ${classic.recipient.text}`,
      classic.identity,
      "",
      hybrid.identity,
      "",
    ];
    for (const end of ["\n", "\r\n"]) {
      const identities = parseIdentities(text.join(end));
      expect(await Promise.all(identities.map((identity) => identity.recipients()))).toEqual([
        [classic.recipient],
        [hybrid.recipient],
      ]);
    }
  });

  it.each(["", "\n\n", "# only a comment\n"])("refuses a file without an identity", (text) => {
    expect(failureOf(text)).toMatchObject({
      code: "E_IDENTITY_INVALID",
      message: "the identity file holds no identity",
    });
  });

  it.each([
    classic.identity.toLowerCase(),
    `${classic.identity} `,
    ` ${classic.identity}`,
    `"${classic.identity}"`,
    classic.identity.slice(0, -1),
    classic.identity.replace("W", "V"),
    encodeBech32("age-secret-key-", seed.subarray(1)).toUpperCase(),
    encodeBech32("age-secret-key-pq-", Buffer.concat([seed, seed])).toUpperCase(),
    encodeBech32("age-plugin-test-", seed).toUpperCase(),
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    "-----BEGIN AGE ENCRYPTED FILE-----",
    classic.recipient.text,
    "correct horse battery staple",
    "\u0000",
  ])("refuses anything else with the number of its line and nothing of it", (text) => {
    const failure = failureOf(`# a comment\n${classic.identity}\n${text}\n`);
    expect(failure).toMatchObject({ code: "E_IDENTITY_INVALID", line: 3 });
    expect(failure.hints.length).toBe(1);
    expect(failure.message).toMatch(/^line 3 of the identity file is not an identity(?: but a public key)?$/);
    const shown = inspect([failure.message, failure.hints, failure.cause]);
    expect(shown).not.toContain(text.trim().slice(0, 36));
    expect(shown).not.toContain(classic.identity.slice(16));
  });
});

describe("an identity of a plugin", () => {
  const plugin = encodeBech32("age-plugin-test-", seed).toUpperCase();
  const recipient = encodeBech32("age1test", seed);
  const noPlugins = () => Promise.reject(new Error("a plugin was started"));
  const recipientsIn = async (text: string) =>
    await Promise.all(
      parseIdentities(text, noPlugins).map(async (it) => (await it.recipients()).map(({ text }) => text)),
    );

  it("is read with the public half that stands right above it, and starts nothing", async () => {
    for (const comment of ["# public key: ", "#    Recipient: ", "# recipient: ", "#Public Key:"]) {
      expect(await recipientsIn(`# Serial: 1\n${comment}${recipient}\n# Slot: 2\n${plugin}\n`)).toEqual([[recipient]]);
    }
    const two = [`# recipient: ${recipient}`, plugin, `# public key: ${classic.recipient.text}`, plugin, plugin];
    expect(await recipientsIn(two.join("\r\n"))).toEqual([[recipient], [classic.recipient.text], []]);
  });

  it("has no public half when the comments name none", async () => {
    const comments = [
      "# recipient: age1nonsense",
      `# ${recipient}`,
      `# recipient: ${recipient} and more`,
      "# public key:",
    ];
    for (const comment of comments) expect(await recipientsIn(`${comment}\n${plugin}`)).toEqual([[]]);
    expect(await recipientsIn(`# recipient: ${recipient}\n\n${plugin}`)).toEqual([[]]);
    expect(await recipientsIn(`# recipient: ${classic.recipient.text}\n${hybrid.identity}`)).toEqual([
      [hybrid.recipient.text],
    ]);
  });

  it.each(["age-plugin-", "age-plugin--", "age-plugin-../x-", "age-plugin-a/b-", "age-plugin--a-", "age-plugin-a_b-"])(
    "is refused under the name %s",
    (prefix) => {
      expect(() => parseIdentities(encodeBech32(prefix, seed).toUpperCase(), noPlugins)).toThrow(SealtreeError);
    },
  );

  it.each(["yubikey", "fido2-hmac", "1p", "a"])("is told by its name: %s", (name) => {
    const [identity] = parseIdentities(encodeBech32(`age-plugin-${name}-`, seed).toUpperCase(), noPlugins);
    expect(identity && pluginOf(identity)).toBe(name);
  });

  it("shows nothing of itself", () => {
    const [identity] = parseIdentities(plugin, noPlugins);
    expect(inspect(identity, { depth: 9, showHidden: true })).toBe("Identity([redacted])");
    expect(JSON.stringify({ ...identity })).not.toContain(plugin.slice(18));
  });
});

describe("an identity", () => {
  it("shows nothing of itself however it is printed", () => {
    const identities = parseIdentities(`${classic.identity}\n${hybrid.identity}`);
    const ways = identities.flatMap((identity) => [
      `${identity as unknown as string}`,
      String(identity as unknown),
      JSON.stringify(identity),
      JSON.stringify({ ...identity }),
      inspect(identity, { depth: 9, showHidden: true }),
      format("%s %o %j", identity, identity, identity),
    ]);
    const secrets = [classic.identity, hybrid.identity, seed.toString(), seed.toString("hex"), seed.toString("base64")];
    for (const way of ways) for (const secret of secrets) expect(way).not.toContain(secret);
    expect(inspect(identities[0])).toBe("Identity([redacted])");
    expect(JSON.stringify(identities)).toBe('["[redacted]","[redacted]"]');
  });
});
