import { readFileSync } from "node:fs";
import { armor, Decrypter, Encrypter } from "age-encryption";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decryptWithIdentities, listStanzas, maxKeyringFileBytes } from "../../src/crypto/age.ts";
import { encryptToRecipients } from "../../src/crypto/age-encrypt.ts";
import { parseArmor } from "../../src/crypto/age-armor.ts";
import { printHeader } from "../../src/crypto/age-header.ts";
import { generateIdentity, type Identity, parseIdentities } from "../../src/crypto/identity.ts";
import type { Recipient, GeneratedKind } from "../../src/crypto/recipient.ts";
import { hasCode } from "../../src/errors.ts";

interface Person {
  readonly text: string;
  readonly identity: Identity;
  readonly recipient: Recipient;
}

const kinds: readonly GeneratedKind[] = ["x25519", "hybrid"];
const sizes = [0, 1, 65_535, 65_536, 65_537, 131_072];
const classic = await Promise.all([1, 2, 3].map((index) => person("x25519", index)));
const hybrid = await Promise.all([4, 5].map((index) => person("hybrid", index)));
const [alice, bob, carol] = classic as [Person, Person, Person];
const [dora, emil] = hybrid as [Person, Person];
const firstOf = { x25519: alice, hybrid: dora };
const message = Buffer.from("not a secret, only a test");

async function person(kind: GeneratedKind, index: number): Promise<Person> {
  const made = await generateIdentity(kind, () => Buffer.from(`sealtree age test key ${index}`.padEnd(32)));
  const [identity] = parseIdentities(made.identity) as [Identity];
  return { text: made.identity, identity, recipient: made.recipient };
}

function bytesOf(size: number): Uint8Array {
  return Buffer.alloc(size, "a page of test text ");
}

async function outcomeOf(file: string | Uint8Array, identity: Identity): Promise<Uint8Array | "foreign" | "malformed"> {
  try {
    return (await decryptWithIdentities(file, [identity]))?.plaintext ?? "foreign";
  } catch (error) {
    if (hasCode(error, "E_AGE_MALFORMED")) return "malformed";
    throw error;
  }
}

describe("encryptToRecipients", () => {
  it.each(kinds.flatMap((kind) => sizes.map((size) => ({ kind, size }))))(
    "writes $size bytes for a $kind recipient that age-encryption opens",
    async ({ kind, size }) => {
      const file = await encryptToRecipients([firstOf[kind].recipient], bytesOf(size), "refused");
      const decrypter = new Decrypter();
      decrypter.addIdentity(firstOf[kind].text);
      expect(Buffer.compare(await decrypter.decrypt(armor.decode(file)), bytesOf(size))).toBe(0);
    },
  );

  it("writes one stanza a recipient, in the order given, without duplicates", async () => {
    const mixed = [alice, dora, bob, alice, emil].map((one) => one.recipient);
    const file = await encryptToRecipients(mixed, message, "allowed");
    expect(listStanzas(file)).toEqual(["X25519", "mlkem768x25519", "X25519", "mlkem768x25519"]);
    for (const one of [alice, dora, bob, emil]) expect(await outcomeOf(file, one.identity)).toEqual(message);
    expect(await outcomeOf(file, carol.identity)).toBe("foreign");
  });

  it("refuses to encrypt to nobody", async () => {
    await expect(encryptToRecipients([], message, "allowed")).rejects.toMatchObject({ code: "E_NO_RECIPIENTS" });
  });

  it("refuses to mix kinds unless that is allowed", async () => {
    const mixed = [alice.recipient, dora.recipient];
    await expect(encryptToRecipients(mixed, message, "refused")).rejects.toMatchObject({ code: "E_RECIPIENTS_MIXED" });
  });

  it("refuses a recipient that nobody checked", async () => {
    const unchecked: Recipient = { kind: "x25519", text: "age1nonsense" };
    await expect(encryptToRecipients([unchecked], message, "refused")).rejects.toMatchObject({
      code: "E_RECIPIENT_INVALID",
    });
  });

  it("takes 256 recipients and refuses one more", async () => {
    const many = await Promise.all(Array.from({ length: 257 }, (_, index) => person("x25519", index + 10)));
    const recipients = many.map((one) => one.recipient);
    const file = await encryptToRecipients(recipients.slice(0, 256), message, "refused");
    const last = many.slice(255, 256).map((one) => one.identity);
    expect((await decryptWithIdentities(file, last))?.stanza).toBe(255);
    await expect(encryptToRecipients(recipients, message, "refused")).rejects.toMatchObject({
      code: "E_RECIPIENT_INVALID",
    });
  });
});

describe("decryptWithIdentities", () => {
  it.each(kinds.flatMap((kind) => sizes.map((size) => ({ kind, size }))))(
    "opens $size bytes that age-encryption wrote for a $kind recipient, binary and armored",
    async ({ kind, size }) => {
      const encrypter = new Encrypter();
      encrypter.addRecipient(firstOf[kind].recipient.text);
      const binary = await encrypter.encrypt(bytesOf(size));
      for (const file of [binary, armor.encode(binary), Buffer.from(armor.encode(binary))]) {
        const opened = await decryptWithIdentities(file, [firstOf[kind].identity]);
        expect(Buffer.compare(opened?.plaintext ?? Buffer.from("nothing"), bytesOf(size))).toBe(0);
      }
    },
  );

  it("agrees with age-encryption on any plaintext and any readers", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 3000 }),
        fc.shuffledSubarray([alice, bob, dora, emil], { minLength: 1 }),
        async (plaintext, readers) => {
          const encrypter = new Encrypter();
          for (const one of readers) encrypter.addRecipient(one.recipient.text);
          const theirs = await encrypter.encrypt(plaintext);
          const ours = await encryptToRecipients(
            readers.map((one) => one.recipient),
            plaintext,
            "allowed",
          );
          for (const one of readers) {
            const decrypter = new Decrypter();
            decrypter.addIdentity(one.text);
            expect(Buffer.compare(await decrypter.decrypt(parseArmor(ours)), plaintext)).toBe(0);
            expect(Buffer.compare((await outcomeOf(theirs, one.identity)) as Uint8Array, plaintext)).toBe(0);
          }
        },
      ),
      { numRuns: 12 },
    );
  });

  it("says which stanza opened a file", async () => {
    const readers = [bob.recipient, carol.recipient, alice.recipient];
    const file = await encryptToRecipients(readers, message, "refused");
    expect((await decryptWithIdentities(file, [dora.identity, alice.identity]))?.stanza).toBe(2);
  });

  it.each([alice, dora])("gives no other plaintext for an armored file with any byte changed", async (reader) => {
    const file = Buffer.from(await encryptToRecipients([reader.recipient], message, "refused"));
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(file);
        changed[at] = (changed[at] ?? 0) ^ change;
        const outcome = await outcomeOf(changed, reader.identity);
        expect(typeof outcome === "string" || message.equals(outcome)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("opens no binary file with any bit changed, any end missing or anything added", async () => {
    const file = Buffer.from(parseArmor(await encryptToRecipients([alice.recipient], message, "refused")));
    for (let at = 0; at < file.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = Buffer.from(file);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(typeof (await outcomeOf(changed, alice.identity))).toBe("string");
      }
      expect(await outcomeOf(file.subarray(0, at), alice.identity)).toBe("malformed");
    }
    expect(await outcomeOf(Buffer.concat([file, Buffer.alloc(1)]), alice.identity)).toBe("malformed");
  });

  it("refuses a file over its limit and one with more than 256 stanzas", async () => {
    const large = await encryptToRecipients([alice.recipient], bytesOf(maxKeyringFileBytes), "refused");
    const keyring = { maxBytes: maxKeyringFileBytes };
    await expect(decryptWithIdentities(large, [alice.identity], keyring)).rejects.toMatchObject({
      code: "E_AGE_MALFORMED",
    });
    expect((await decryptWithIdentities(large, [alice.identity]))?.plaintext.length).toBe(maxKeyringFileBytes);
    const grease = Array.from({ length: 257 }, () => ({ args: ["grease"], body: new Uint8Array(0) }));
    const fileKey = Buffer.from("TEST FILE KEY 16");
    expect(listStanzas(printHeader(grease.slice(1), fileKey)).length).toBe(256);
    expect(() => listStanzas(printHeader(grease, fileKey))).toThrow("more than 256 stanzas");
  });

  it("answers at once that no identity fits a passphrase, whatever its work factor", async () => {
    const stanza = { args: ["scrypt", "AAAAAAAAAAAAAAAAAAAAAA", "63"], body: new Uint8Array(32) };
    const header = printHeader([stanza], Buffer.from("TEST FILE KEY 16"));
    const file = Buffer.concat([header, Buffer.alloc(32)]);
    expect(await decryptWithIdentities(file, [alice.identity, dora.identity])).toBeUndefined();
  });

  it("never repeats what is in a file", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 12, unit: "grapheme-ascii" }), async (text) => {
        const failure: unknown = await decryptWithIdentities(text, [alice.identity]).catch((error: unknown) => error);
        expect(hasCode(failure, "E_AGE_MALFORMED")).toBe(true);
        expect(JSON.stringify([String(failure), failure])).not.toContain(JSON.stringify(text).slice(1, -1));
      }),
    );
  });
});

describe("the way to open a file", () => {
  it("loads nothing but Node's own modules", () => {
    const asked = new Set<string>();
    const visited = new Set<string>();
    const visit = (url: URL): void => {
      if (visited.has(url.href)) return;
      visited.add(url.href);
      for (const [, from = ""] of readFileSync(url, "utf8").matchAll(/^(?:import|export)\b[^;]*? from "([^"]+)";/gm)) {
        if (from.startsWith(".")) visit(new URL(from, url));
        else asked.add(from);
      }
    };
    for (const entry of ["age.ts", "identity.ts"]) visit(new URL(`../../src/crypto/${entry}`, import.meta.url));
    expect([...asked].toSorted()).toEqual(["node:crypto"]);
  });
});
