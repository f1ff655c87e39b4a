import { describe, expect, it } from "vitest";
import { listStanzas } from "../../src/crypto/age.ts";
import { encryptToRecipients } from "../../src/crypto/age-encrypt.ts";
import { encodeBech32 } from "../../src/crypto/bech32.ts";
import { generateIdentity } from "../../src/crypto/identity.ts";
import { isPostQuantum } from "../../src/crypto/recipient.ts";
import { parseRecipient } from "../../src/crypto/parse-recipient.ts";

// The public key of age-plugin-tagtest, which age's own tests use.
const tagged = parseRecipient("age1tag1qwe0kafsjrar4txm6heqnhpfuggzr0gvznz7fvygxrlq90u5mq2pysxtw6h");
const plaintext = Buffer.from("test text");

describe("a tagged recipient", () => {
  it("is sealed to without a plugin, in its place among the others", async () => {
    const { recipient } = await generateIdentity("x25519");
    const file = await encryptToRecipients(
      [recipient, tagged, (await generateIdentity("hybrid")).recipient],
      plaintext,
      "allowed",
    );
    expect(listStanzas(file)).toEqual(["X25519", "p256tag", "mlkem768x25519"]);
  });

  it("is refused when it is no key", async () => {
    for (const bytes of [new Uint8Array(0), Buffer.alloc(33, 0xff), Buffer.alloc(65, 4)]) {
      const broken = parseRecipient(encodeBech32("age1tag", bytes));
      await expect(encryptToRecipients([broken], plaintext, "refused")).rejects.toMatchObject({
        code: "E_RECIPIENT_INVALID",
      });
    }
  });

  it("is post-quantum only in its hybrid form", () => {
    expect(isPostQuantum(tagged)).toBe(false);
    expect(isPostQuantum(parseRecipient(encodeBech32("age1tagpq", Buffer.alloc(1249, 1))))).toBe(true);
    expect(isPostQuantum(parseRecipient(encodeBech32("age1tagpqx", Buffer.alloc(9, 1))))).toBe(false);
  });
});
