import { expect, test } from "vitest";
import { parseEjson, readEjson } from "../../src/migrate/read-ejson.ts";
import { readFixture, textsOf } from "./fixtures.ts";

const text = readFixture("ejson").toString("utf8");
const key = { from: "text", text: Buffer.from("sealtree test ejson key, public!").toString("hex") } as const;

test("a file of ejson gives every value, sealed or not", () => {
  const contents = readEjson(text, key);
  expect(textsOf(contents)).toEqual({
    api_key: Buffer.from("word #1: é").toString("latin1"),
    "database.password": "p$w\n",
    "database.port": "5432",
    "database._note": "open",
  });
  expect(contents.values.map(({ isOpen }) => isOpen)).toEqual([false, false, true, true]);
  expect(contents.leftOut).toEqual([{ path: ["_public_key"], reason: "the public key of ejson" }]);
});

test("a changed box, a foreign key and no key are refused", () => {
  const changed = text.replace(/(EJ\[1:[^:]+:[^:]+:)../, "$1zz");
  expect(() => readEjson(changed, key)).toThrow(expect.objectContaining({ code: "E_SOURCE_INTEGRITY" }));
  const foreign = { from: "text", text: "07".repeat(32) } as const;
  expect(() => readEjson(text, foreign)).toThrow(expect.objectContaining({ code: "E_NO_ACCESS" }));
  expect(() => readEjson(text, { from: "folder", folder: "/nonexistent" })).toThrow(
    expect.objectContaining({ code: "E_NO_ACCESS" }),
  );
  expect(() => readEjson(text, { from: "text", text: "short" })).toThrow(
    expect.objectContaining({ code: "E_INPUT_INVALID" }),
  );
});

test("a file without a public key is no file of ejson", () => {
  expect(() => parseEjson('{"a": "b"}')).toThrow(/no _public_key/);
});
