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

/** The parts of an encoding; undefined for anything that {@link encodeParts} does not make. */
export function decodeParts(bytes: Uint8Array): Buffer[] | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 8) return undefined;
  const count = buffer.readBigUInt64LE(0);
  const parts: Buffer[] = [];
  let offset = 8;
  while (BigInt(parts.length) < count) {
    if (buffer.length - offset < 8) return undefined;
    const length = buffer.readBigUInt64LE(offset);
    offset += 8;
    if (length > BigInt(buffer.length - offset)) return undefined;
    parts.push(buffer.subarray(offset, offset + Number(length)));
    offset += Number(length);
  }
  return offset === buffer.length ? parts : undefined;
}
