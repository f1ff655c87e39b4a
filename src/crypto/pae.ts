/**
 * Pre-authentication encoding: le64(count), then le64(length) and the bytes of each part.
 * Injective, so no two lists of parts encode alike (docs/format.md, Encoding). Strings are UTF-8.
 */
export function encodeParts(parts: readonly (string | Uint8Array)[]): Uint8Array {
  const bodies = parts.map((part) => (typeof part === "string" ? Buffer.from(part, "utf8") : part));
  const out = Buffer.alloc(bodies.reduce((total, body) => total + 8 + body.length, 8));
  out.writeBigUInt64LE(BigInt(bodies.length), 0);
  let offset = 8;
  for (const body of bodies) {
    out.writeBigUInt64LE(BigInt(body.length), offset);
    out.set(body, offset + 8);
    offset += 8 + body.length;
  }
  return out;
}
