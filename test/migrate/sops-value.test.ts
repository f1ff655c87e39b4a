import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { authenticatedText, isSopsCiphertext, openSopsValue, printGoFloat } from "../../src/migrate/sops-value.ts";

const dataKey = Buffer.from("sealtree test key 1, not secret!", "ascii");

function seal(plain: Uint8Array, additional: string, type: string): string {
  const iv = Buffer.alloc(32, 7);
  const cipher = createCipheriv("aes-256-gcm", dataKey, iv);
  cipher.setAAD(Buffer.from(additional));
  const data = Buffer.concat([cipher.update(plain), cipher.final()]).toString("base64");
  return `ENC[AES256_GCM,data:${data},iv:${iv.toString("base64")},tag:${cipher.getAuthTag().toString("base64")},type:${type}]`;
}

test("any bytes open in their place and in no other", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 50 }),
      fc.array(fc.string(), { maxLength: 3 }),
      (bytes, keys) => {
        const sealed = seal(bytes, `${keys.join(":")}:`, "str");
        expect(isSopsCiphertext(sealed)).toBe(true);
        expect(openSopsValue(sealed, dataKey, keys)?.bytes).toEqual(Buffer.from(bytes));
        expect(openSopsValue(sealed, dataKey, [...keys, "x"])).toBeUndefined();
      },
    ),
    { numRuns: 50 },
  );
});

test("what is not of the form, of no known type, or cut short opens to nothing", () => {
  const sealed = seal(Buffer.from("v"), "a:", "str");
  for (const text of [
    "plain",
    sealed.replace("type:str", "type:thing"),
    sealed.replace(/tag:[^,]+/, "tag:AAAA"),
    sealed.slice(0, 30),
  ]) {
    expect(openSopsValue(text, dataKey, ["a"])).toBeUndefined();
  }
});

test("numbers are authenticated as Go prints them", () => {
  const printed = [0, -0, 1, 1.5, 1e20, 1e21, 123456.789, 1e-7, -2.5e-10, 5e-324, 1.7976931348623157e308].map(
    printGoFloat,
  );
  expect(printed.slice(0, 9)).toEqual([
    "0",
    "-0",
    "1",
    "1.5",
    "100000000000000000000",
    "1000000000000000000000",
    "123456.789",
    "0.0000001",
    "-0.00000000025",
  ]);
  expect(Number(printed[9])).toBe(5e-324);
  expect(printed[10]).toMatch(/^179769313486231570{292}$/);
  expect(authenticatedText("boolean", "true").toString()).toBe("True");
  expect(authenticatedText("integer", "12345678901234567890").toString()).toBe("12345678901234567890");
});

test("a printed number reads back as itself and has no exponent", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(printGoFloat(value)).toMatch(/^-?[0-9]+(?:\.[0-9]+)?$/);
      expect(Number(printGoFloat(value))).toBe(value);
    }),
    { numRuns: 200 },
  );
});
