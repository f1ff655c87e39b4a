import { expect, test } from "vitest";
import { findDotenvxKeys, readDotenvx } from "../../src/migrate/read-dotenvx.ts";
import { readFixture, textsOf } from "./fixtures.ts";

const key = "07".repeat(32);
const keys = findDotenvxKeys({ DOTENV_PRIVATE_KEY: key }, undefined);
const text = readFixture("dotenvx").toString("utf8");

test("a file of dotenvx gives every value as dotenvx does", () => {
  const contents = readDotenvx(text, keys, "resolve");
  expect(textsOf(contents)).toEqual({ PLAIN: "hello world", SINGLE: "pa$word ${PLAIN}", DOUBLE: "to hello world" });
  expect(contents.values.map(({ note }) => note)).toEqual([undefined, undefined, "made of PLAIN, as it is now"]);
  expect(contents.values[0]?.comments).toEqual([{ text: " about PLAIN", isPrivate: false }]);
  expect(contents.leftOut).toEqual([{ path: ["DOTENV_PUBLIC_KEY"], reason: "the public key of dotenvx" }]);
});

test("as written, names in values stay text", () => {
  expect(textsOf(readDotenvx(text, keys, "keep"))).toMatchObject({ DOUBLE: "to ${PLAIN}" });
});

test("keys come from the environment and from the text of .env.keys, several joined by commas", () => {
  const file = `#/---/\nDOTENV_PRIVATE_KEY_CI="${"0a".repeat(32)},${key}"\nOTHER=${"0b".repeat(32)}\n`;
  const found = findDotenvxKeys({ DOTENV_PRIVATE_KEY_X: key, HOME: "/" }, file);
  expect(found.map((it) => it.toString("hex"))).toEqual([key, "0a".repeat(32)]);
  expect(textsOf(readDotenvx(text, found.toReversed(), "keep"))).toMatchObject({ PLAIN: "hello world" });
});

test("without a key, with another one, or with a changed value nothing is given out", () => {
  expect(() => readDotenvx(text, [], "keep")).toThrow(expect.objectContaining({ code: "E_NO_ACCESS" }));
  const other = [Buffer.alloc(32, 9)];
  expect(() => readDotenvx(text, other, "keep")).toThrow(expect.objectContaining({ code: "E_SOURCE_INTEGRITY" }));
  const changed = text.replace(/(PLAIN=encrypted:.{20})./, "$1*");
  expect(() => readDotenvx(changed, keys, "keep")).toThrow(expect.objectContaining({ code: "E_SOURCE_INTEGRITY" }));
});

test.each(["$(id)", "$NOT_ABOVE", "${A:-x}", "${LATER}"])(
  "a value with %s is refused, also among others",
  (written) => {
    const plain = `A=1\nB="${written}"\nLATER=2\n`;
    expect(() => readDotenvx(plain, [], "resolve")).toThrow(expect.objectContaining({ code: "E_INPUT_INVALID" }));
    expect(textsOf(readDotenvx(plain, [], "keep"))).toMatchObject({ B: written });
    expect(textsOf(readDotenvx(plain.replaceAll('"', "'"), [], "resolve"))).toMatchObject({ B: written });
  },
);
