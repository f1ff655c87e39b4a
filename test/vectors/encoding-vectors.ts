import { parseBase64url } from "../../src/crypto/base64url.ts";
import { paddedLength } from "../../src/crypto/pad.ts";
import { encodeParts } from "../../src/crypto/pae.ts";
import { hex, type Vector } from "./vector.ts";

/** Lists of parts and their encoding; several pairs would be alike if parts were only joined. */
export function paeVectors(): Vector[] {
  const text = (...parts: string[]) => parts.map((part) => Buffer.from(part));
  const cases: readonly [string, string, readonly Uint8Array[]][] = [
    ["no part", "only the count", []],
    ["one empty part", "differs from no part", text("")],
    ["two empty parts", "differs from one empty part", text("", "")],
    ["one part", "one part of two bytes", text("ab")],
    ["split part", "the same bytes as one part, in two parts", text("a", "b")],
    ["scope takes the slash", "prod/api + KEY", text("prod/api", "KEY")],
    ["name takes the slash", "prod + api/KEY: the same joined text as the case before", text("prod", "api/KEY")],
    ["moved border", "prod/ap + iKEY: the same joined bytes as prod/api + KEY", text("prod/ap", "iKEY")],
    ["empty part first", "an empty part and a part", text("", "a")],
    ["empty part last", "a part and an empty part", text("a", "")],
    ["a part that looks like an encoding", "the encoding of [a] as one part", [encodeParts(["a"])]],
    ["nul and high bytes", "bytes are taken as they are", [Buffer.from("00ff80", "hex"), Buffer.from("00", "hex")]],
    ["unicode", "text is UTF-8 and is not normalised: e acute composed, then decomposed", text("\u00e9", "e\u0301")],
    ["length over one byte", "256 bytes: the length's second byte counts", [Buffer.alloc(256, 0x61)]],
  ];
  return cases.map(([name, comment, parts]) => ({
    name,
    comment,
    input: { parts: parts.map(hex) },
    expect: "ok",
    output: { encoded: hex(encodeParts(parts)) },
  }));
}

/** Frame lengths at and around every step of the padding rule. */
export function padVectors(): Vector[] {
  const lengths = [
    5, 6, 63, 64, 65, 127, 128, 129, 959, 960, 961, 1023, 1024, 1025, 1088, 1089, 2047, 2048, 2049, 2176, 2177, 4096,
    4097, 65_535, 65_536, 65_537, 67_584, 67_585, 1_000_000, 1_048_575, 1_048_576, 1_048_577, 1_048_581,
  ];
  return lengths.map((length) => ({
    name: `${length} bytes`,
    comment: `a frame with a value of ${length - 5} bytes`,
    input: { length },
    expect: "ok",
    output: { padded: paddedLength(length) },
  }));
}

/** Texts that are base64url, and texts that only a lax decoder takes. */
export function base64urlVectors(): Vector[] {
  const good: readonly [string, string][] = [
    ["empty", ""],
    ["one byte", "AA"],
    ["two bytes", "AAA"],
    ["three bytes", "AAAA"],
    ["all ones", "_w"],
    ["both special characters", "-_-_"],
  ];
  const bad: readonly [string, string, string][] = [
    ["padded", "one = is too much", "AAA="],
    ["padded twice", "two = are too much", "AA=="],
    ["standard alphabet", "+ and / belong to the other alphabet", "+/+/"],
    ["impossible length", "no bytes encode to one character", "A"],
    ["impossible length after a group", "no bytes encode to five characters", "AAAAA"],
    ["four spare bits set", "the last character of one byte has four zero bits", "AB"],
    ["two spare bits set", "the last character of two bytes has two zero bits", "AAB"],
    ["line break inside", "white space is not skipped", "AA\nAA"],
    ["line break at the end", "white space is not skipped", "AAAA\n"],
    ["space", "white space is not skipped", " AAAA"],
    ["nul", "a control character", "AA\u0000A"],
    ["not ascii", "a fullwidth A", "\uff21AAA"],
    ["percent sign", "no other escape is read", "AA%3D"],
  ];
  return [
    ...good.map(([name, text]): Vector => {
      const bytes = parseBase64url(text);
      if (bytes === undefined) throw new Error(`the vector ${name} is wrong`);
      return { name, comment: "canonical", input: { text }, expect: "ok", output: { bytes: hex(bytes) } };
    }),
    ...bad.map(([name, comment, text]): Vector => ({ name, comment, input: { text }, expect: "malformed" })),
  ];
}
