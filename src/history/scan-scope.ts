/**
 * What stands for a secret in some version of a scope file, known by what anybody can read: a
 * record (docs/format.md, Record) or a drop (Drop).
 */
export interface Sighting {
  readonly name: string;
  readonly valueId: string;
  /** Undefined for a drop, which is sealed under none. */
  readonly generation: string | undefined;
  /** When the value was set, in seconds since 1970. */
  readonly createdAt: number;
}

const recordMark = ": st1";
/** Base64url digits of a record's header, 33 bytes, and of a drop's, 17 bytes and one that is not its own. */
const digits = { record: 44, drop: 24 } as const;
/** Longest name, with quotes. */
const maxNameChars = 130;
const line = /^"?([A-Za-z_][A-Za-z0-9_.-]{0,127})"?: st1(d?)\.([A-Za-z0-9_-]+)$/;

/**
 * The beginnings of all lines of `bytes` that hold a record or a drop, as text of at most 200
 * characters for {@link parseSighting}. Two versions of a file that hold the same value under the
 * same generation give the same text, so that whoever reads many versions can parse each once.
 * Takes time in proportion to the bytes, whatever they are, and decodes nothing.
 */
export function listSightings(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: string[] = [];
  let from = 0;
  for (let at = buffer.indexOf(recordMark, from); at >= 0; at = buffer.indexOf(recordMark, from)) {
    const start = Math.max(from, buffer.lastIndexOf(10, at) + 1);
    const mark = at + recordMark.length;
    const end = buffer[mark] === 0x64 ? mark + 2 + digits.drop : mark + 1 + digits.record;
    if (at - start <= maxNameChars && end <= buffer.length) found.push(buffer.toString("latin1", start, end));
    const next = buffer.indexOf(10, at);
    if (next < 0) break;
    from = next + 1;
  }
  return found;
}

/** What a text of {@link listSightings} says; undefined for one that is neither record nor drop. */
export function parseSighting(text: string): Sighting | undefined {
  const [, name, drop, encoded] = line.exec(text) ?? [];
  if (name === undefined || encoded === undefined) return undefined;
  const header = Buffer.from(encoded, "base64url");
  const idAt = drop === "d" ? 1 : 17;
  if (header[0] !== 1 || header.length < idAt + 16) return undefined;
  const createdAt = Number(header.readBigUInt64BE(idAt + 8));
  return {
    name,
    valueId: header.toString("hex", idAt, idAt + 8),
    generation: drop === "d" ? undefined : header.toString("hex", 1, 17),
    createdAt: Number.isSafeInteger(createdAt) ? createdAt : 0,
  };
}
