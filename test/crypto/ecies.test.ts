import { expect, it } from "vitest";
import { openEcies } from "../../src/crypto/ecies.ts";
import { readFixture } from "../migrate/fixtures.ts";

const key = Buffer.alloc(32, 7);
const sealed = [
  ...readFixture("dotenvx")
    .toString("utf8")
    .matchAll(/encrypted:([A-Za-z0-9+/=]+)/g),
].map(([, text = ""]) => Buffer.from(text, "base64"));

it("opens what dotenvx sealed, whichever of the two points is the shared one", () => {
  const opened = sealed.map((it) => Buffer.from(openEcies(key, it) ?? "none").toString("utf8"));
  expect(opened).toEqual(["hello world", "pa$word ${PLAIN}", "to ${PLAIN}"]);
});

it("opens nothing with a change in any part, another key, or too little", () => {
  const [first = Buffer.alloc(0)] = sealed;
  for (const place of [0, 1, 64, 65, 80, 81, 96, 97, first.length - 1]) {
    const changed = Buffer.from(first);
    changed[place] = (changed[place] ?? 0) ^ 1;
    expect(openEcies(key, changed)).toBeUndefined();
  }
  expect(openEcies(Buffer.alloc(32, 9), first)).toBeUndefined();
  expect(openEcies(Buffer.alloc(32), first)).toBeUndefined();
  expect(openEcies(key, first.subarray(0, 96))).toBeUndefined();
});
