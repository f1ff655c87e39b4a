import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findCanaries } from "../support/canary.ts";

const canary = 'canary-to-find "\\/+&=<é>\n!';
const writings: readonly (readonly [string, (text: Buffer) => string | Buffer])[] = [
  ["as it is", (text) => text],
  ["hex", (text) => text.toString("hex")],
  ["upper hex", (text) => text.toString("hex").toUpperCase()],
  ["base64", (text) => text.toString("base64")],
  ["base64url", (text) => text.toString("base64url")],
  ["JSON", (text) => JSON.stringify(text.toString())],
  ["URL", (text) => encodeURIComponent(text.toString())],
  ["UTF-16", (text) => Buffer.from(text.toString(), "utf16le")],
];

describe("findCanaries", () => {
  it.each(writings)("finds a canary anywhere in a text that is written %s", (_name, write) => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const text = Buffer.from(`${before}${canary}${after}`);
        expect(findCanaries(write(text), ["another canary", canary])).toContainEqual(
          expect.stringMatching(/^canary 1,/),
        );
      }),
    );
  });

  it.each(writings)("finds none where only a part of one is written %s", (_name, write) => {
    expect(findCanaries(write(Buffer.from(canary.slice(4))), [canary])).toEqual([]);
  });
});
