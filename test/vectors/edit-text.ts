import { armor } from "./craft-age-file.ts";

/** `text` with its only `from` replaced. Throws when `from` does not stand there. */
export function replaceOnce(text: string, from: string, to: string): string {
  const parts = text.split(from);
  if (parts.length < 2) throw new Error(`the vector has no ${from}`);
  return [parts[0], parts.slice(1).join(from)].join(to);
}

/** `text` with two neighbouring lines swapped; `index` is the zero-based first. */
export function swapLines(text: string, index: number): string {
  const lines = text.split("\n");
  return [...lines.slice(0, index), lines[index + 1], lines[index], ...lines.slice(index + 2)].join("\n");
}

/** A generation file whose age file, out of its armor, was changed by `change`. */
export function editAgeFile(text: string, change: (bytes: Buffer) => Uint8Array): string {
  const start = text.indexOf("  -----BEGIN");
  const body = text.slice(start).split("\n").slice(1, -2).join("").replaceAll(" ", "");
  const lines = armor(change(Buffer.from(body, "base64")))
    .trimEnd()
    .split("\n");
  return `${text.slice(0, start)}${lines.map((line) => `  ${line}\n`).join("")}`;
}

/** An edit that flips the bits of `mask` in one byte; a negative `offset` counts from the end. */
export function flip(offset: number, mask: number): (bytes: Buffer) => Uint8Array {
  return (bytes) => {
    const at = offset < 0 ? bytes.length + offset : offset;
    bytes.writeUInt8(bytes.readUInt8(at) ^ mask, at);
    return bytes;
  };
}
