import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findMembers, printMembers } from "../../../src/deploy/targets/json-members.ts";

describe("the members of a JSON object", () => {
  it("stay as they are written", () => {
    const text =
      ' { "a" : 12345678901234567890 ,\n"b\\u0041":[1.0, {"}":"]"} ],"c":"x\\"}" , "d":-1e-3,"e":{ },"f":null } ';
    expect([...(findMembers(text) ?? [])]).toEqual([
      ["a", "12345678901234567890"],
      ["bA", '[1.0, {"}":"]"} ]'],
      ["c", '"x\\"}"'],
      ["d", "-1e-3"],
      ["e", "{ }"],
      ["f", "null"],
    ]);
  });

  it("are those of JSON.parse, for every object, however it is set", () => {
    const objects = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue(), { noNullPrototype: true });
    fc.assert(
      fc.property(objects, fc.constantFrom(0, 1, "\t"), (object, indent) => {
        const members = findMembers(JSON.stringify(object, undefined, indent));
        expect(members).toBeDefined();
        const read = [...(members ?? [])].map(([name, text]) => [name, JSON.parse(text) as unknown]);
        expect(read).toEqual(Object.entries(JSON.parse(JSON.stringify(object)) as object));
        expect(JSON.parse(printMembers(members ?? new Map()))).toEqual(JSON.parse(JSON.stringify(object)));
      }),
    );
  });

  it("are none where the text is no object", () => {
    for (const text of ["", "[]", "null", '"a"', "1", "{", '{"a":}', "{} {}"])
      expect(findMembers(text)).toBeUndefined();
  });

  it("keeps the last of a name that is there twice, and takes names that objects have of their own", () => {
    expect([...(findMembers('{"a":1,"a":2,"__proto__":3}') ?? [])]).toEqual([
      ["a", "2"],
      ["__proto__", "3"],
    ]);
  });
});
