import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonPointer, resolvePointer } from "../../../src/rotation/rotators/json-pointer.ts";

const find = (document: unknown, text: string) => resolvePointer(document, jsonPointer.parse(text));

describe("a JSON pointer", () => {
  const document = {
    foo: ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
  };

  it.each([
    ["", document],
    ["/foo", ["bar", "baz"]],
    ["/foo/0", "bar"],
    ["/", 0],
    ["/a~1b", 1],
    ["/c%d", 2],
    ["/e^f", 3],
    ["/g|h", 4],
    ["/i\\j", 5],
    ['/k"l', 6],
    ["/ ", 7],
    ["/m~0n", 8],
  ])("%j gives what RFC 6901 section 5 says", (text, expected) => {
    expect(find(document, text)).toEqual(expected);
  });

  it.each([
    "/foo/2",
    "/foo/-",
    "/foo/00",
    "/foo/01",
    "/foo/+1",
    "/foo/length",
    "/bar/x",
    "/foo/0/x",
    "/__proto__",
    "/constructor",
  ])("%s points at nothing", (text) => expect(find(document, text)).toBeUndefined());

  it.each(["foo", "/~", "/~2", "/a~"])("is not written %s", (text) => {
    expect(jsonPointer.safeParse(text).success).toBe(false);
  });

  it("finds every key that there can be", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.jsonValue(), (outer, inner, value) => {
        const tokens = [outer, inner].map((key) => key.replaceAll("~", "~0").replaceAll("/", "~1"));
        const nested = Object.fromEntries([[outer, Object.fromEntries([[inner, value]])]]);
        expect(find(nested, `/${tokens.join("/")}`)).toEqual(value);
      }),
    );
  });
});
