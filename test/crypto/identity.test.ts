import { format, inspect } from "node:util";
import { identityToRecipient } from "age-encryption";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeBech32 } from "../../src/crypto/bech32.ts";
import { generateIdentity, parseIdentities } from "../../src/crypto/identity.ts";
import type { RecipientKind } from "../../src/crypto/recipient.ts";
import { SealtreeError } from "../../src/errors.ts";

const kinds: readonly RecipientKind[] = ["x25519", "hybrid"];
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
          expect(await parseIdentities(identity)[0]?.recipient()).toEqual(recipient);
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
      expect(identities.map((identity) => identity.kind)).toEqual(kinds);
      expect(await Promise.all(identities.map((identity) => identity.recipient()))).toEqual([
        classic.recipient,
        hybrid.recipient,
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
    expect(failure.message).toBe("line 3 of the identity file is not an identity");
    const shown = inspect([failure.message, failure.hints, failure.cause]);
    expect(shown).not.toContain(text.trim().slice(0, 36));
    expect(shown).not.toContain(classic.identity.slice(16));
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
