import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generateIdentity } from "../../src/crypto/identity.ts";
import { fingerprintOf } from "../../src/crypto/recipient.ts";
import { SealtreeError } from "../../src/errors.ts";
import { parseReference, printReference } from "../../src/identity/keychain-identity.ts";

const classic = (await generateIdentity("x25519", (size) => Buffer.alloc(size, "test key "))).recipient;
const hybrid = (await generateIdentity("hybrid", (size) => Buffer.alloc(size, "test key "))).recipient;
const print = fingerprintOf(classic.text);
const key = `# public key: ${classic.text}`;
const line = `keychain:${print}`;

function isRefused(text: string): boolean {
  try {
    parseReference(text);
    return false;
  } catch (error) {
    if (error instanceof SealtreeError && error.code === "E_IDENTITY_INVALID") return true;
    throw error;
  }
}

describe("parseReference", () => {
  it("reads what printReference prints, with either end of line", async () => {
    for (const recipient of [classic, hybrid]) {
      const text = printReference(recipient, "2026-01-01T00:00:00.000Z");
      for (const form of [text, text.replaceAll("\n", "\r\n"), `\n${text}\n# more\n`]) {
        expect(await parseReference(form).recipients()).toEqual([recipient]);
      }
    }
  });

  it.each([
    line,
    key,
    `${key}\n${line}\n${line}`,
    `${key}\n${key}\n${line}`,
    `${key}\n${line}\nAGE-SECRET-KEY-1TEST`,
    `${key}\n ${line}`,
    `${key}\n${line} `,
    `${key}\nkeychain:${print.slice(1)}`,
    `${key}\nkeychain:${print.toUpperCase()}`,
    `${key}\nkeychain:0000000000000000`,
    `# public key: ${hybrid.text}\n${line}`,
    `# public key: ssh-ed25519\n${line}`,
    `# Public key: ${classic.text}\n${line}`,
    `#public key: ${classic.text}\n${line}`,
  ])("refuses anything else", (text) => {
    expect(isRefused(text)).toBe(true);
  });

  it("refuses every change of one character in the line or the key", () => {
    const text = `${key}\n${line}\n`;
    fc.assert(
      fc.property(fc.nat(text.length - 2), fc.constantFrom("0", "f", "q", "x", "Z", ":", "\n"), (at, char) => {
        fc.pre(at > 0 && text[at] !== char);
        expect(isRefused(text.slice(0, at) + char + text.slice(at + 1))).toBe(true);
      }),
    );
  });
});
