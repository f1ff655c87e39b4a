import { createHash } from "node:crypto";

/** Values that doors have got wrong before, by name. None holds a real secret. */
export const nastyValues: Readonly<Record<string, Buffer>> = {
  NUL: Buffer.from("a\0b"),
  NOT_UTF8: Buffer.from([0xff, 0xfe, 0x00, 0x80]),
  MIB: filled(1024 * 1024),
  EMPTY: Buffer.alloc(0),
  WORD: Buffer.from("yes"),
  OCTAL: Buffer.from("0755"),
  GROUPED: Buffer.from("1_000"),
  CRLF: Buffer.from("one\r\ntwo\r\n"),
  EMOJI: Buffer.from("😀 👨‍👩‍👧 é"),
  SPACES: Buffer.from("  in front and behind  "),
  NEWLINES: Buffer.from("\nlast\n\n\n"),
  QUOTES: Buffer.from(`it's "quoted" and \`more\``),
  DOLLARS: Buffer.from("$HOME ${PATH} $(id) %s"),
  BACKSLASHES: Buffer.from("C:\\new\\table\\"),
  SEPARATORS: Buffer.from("a\u2028b\u2029c\u0085d\ufeff"),
  PEM: Buffer.from("-----BEGIN TEST KEY-----\nAAAA\nBBBB\n-----END TEST KEY-----\n"),
  COMMENT: Buffer.from("# not a comment"),
  COLON: Buffer.from("a: b\n- c"),
  yes: Buffer.from("name that YAML takes for a boolean"),
};

/** Printable text of `length` bytes that does not compress or repeat. */
function filled(length: number): Buffer {
  const parts: Buffer[] = [];
  for (let index = 0; parts.length * 44 < length; index++) {
    parts.push(Buffer.from(createHash("sha256").update(String(index)).digest("base64")));
  }
  return Buffer.concat(parts).subarray(0, length);
}
