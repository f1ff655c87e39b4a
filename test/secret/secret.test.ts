import { format, inspect } from "node:util";
import { serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/secret/secret.ts";

const canary = "canary-value-123456";

describe("Secret", () => {
  it.each([
    ["a template", (secret: Secret) => `${String(secret)}`],
    ["JSON", (secret: Secret) => JSON.stringify({ secret })],
    ["inspect", (secret: Secret) => inspect({ secret }, { showHidden: true, depth: 5, customInspect: false })],
    ["custom inspect", (secret: Secret) => inspect(secret)],
    ["format", (secret: Secret) => format("%s %o %O %j %d", secret, secret, secret, secret, secret)],
    // oxlint-disable-next-line typescript/no-misused-spread -- a way out that must stay shut
    ["spread", (secret: Secret) => JSON.stringify({ ...secret })],
    ["assign", (secret: Secret) => inspect(Object.assign({}, secret))],
    ["entries", (secret: Secret) => JSON.stringify(Object.entries(secret))],
    ["serialize", (secret: Secret) => serialize(secret).toString("latin1")],
    ["structuredClone", (secret: Secret) => inspect(structuredClone(secret), { showHidden: true })],
    ["an error's cause", (secret: Secret) => inspect(new Error("x", { cause: secret }))],
    ["concatenation", (secret: Secret) => "" + (secret as unknown as string)],
  ])("does not get out through %s", (_, leak) => {
    expect(leak(Secret.text(canary))).not.toContain(canary);
  });

  it("gives its bytes only when it is told to", () => {
    expect(Buffer.from(Secret.text(canary).reveal()).toString()).toBe(canary);
    expect(Secret.of(Buffer.from([0xff]), "binary").revealText()).toBeUndefined();
  });

  it("takes UTF-8 without NUL for text and all else for binary", () => {
    expect(Secret.fromBytes(Buffer.from("naïve ☃\r\n")).kind).toBe("text");
    expect(Secret.fromBytes(Buffer.from("a\0b")).kind).toBe("binary");
    expect(Secret.fromBytes(Buffer.from([0xc3, 0x28])).kind).toBe("binary");
    expect(Secret.fromBytes(Buffer.alloc(0)).kind).toBe("text");
  });

  it("keeps a byte order mark", () => {
    expect(Secret.fromBytes(Buffer.from("\ufeffx")).revealText()).toBe("\ufeffx");
  });
});
