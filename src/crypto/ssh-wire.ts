/** Reads the data types of SSH (RFC 4251, section 5), one after the other. */
export interface WireReader {
  /** Exactly `count` bytes. */
  bytes(count: number): Uint8Array;
  u32(): number;
  /** A string: its bytes, without the length before them. */
  string(): Uint8Array;
  /** A string that is ASCII text. */
  text(): string;
  /** A positive mpint in its only form. */
  number(): bigint;
  /** All that is left. */
  rest(): Uint8Array;
}

class NotWireFormat extends Error {}

/**
 * What `read` makes of `bytes`; undefined when a field is longer than what is there, not in
 * its canonical form, or when `read` leaves bytes over.
 */
export function readWire<T>(bytes: Uint8Array, read: (wire: WireReader) => T | undefined): T | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  const take = (count: number): Buffer => {
    if (count > buffer.length - offset) throw new NotWireFormat();
    offset += count;
    return buffer.subarray(offset - count, offset);
  };
  const string = () => take(take(4).readUInt32BE(0));
  const wire: WireReader = {
    bytes: take,
    u32: () => take(4).readUInt32BE(0),
    string,
    text: () => parseAscii(string()),
    number: () => parsePositive(string()),
    rest: () => take(buffer.length - offset),
  };
  try {
    const found = read(wire);
    return offset === buffer.length ? found : undefined;
  } catch (error) {
    if (error instanceof NotWireFormat) return undefined;
    throw error;
  }
}

/** The fields as SSH strings, joined. */
export function printWire(fields: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    fields.flatMap((field) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(field.length);
      return [length, typeof field === "string" ? Buffer.from(field, "latin1") : field];
    }),
  );
}

/** A positive number as the content of an mpint. */
export function printPositive(value: bigint): Uint8Array {
  const bytes = printUnsigned(value);
  return (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]);
}

/** A positive number in as few big-endian bytes as it has. */
export function printUnsigned(value: bigint): Uint8Array {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
}

/** The number in big-endian bytes, of which there is at least one. */
export function parseUnsigned(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

function parseAscii(bytes: Buffer): string {
  if (bytes.some((byte) => byte < 0x20 || byte > 0x7e)) throw new NotWireFormat();
  return bytes.toString("latin1");
}

function parsePositive(bytes: Uint8Array): bigint {
  if (bytes.length === 0) throw new NotWireFormat();
  const value = parseUnsigned(bytes);
  if (value === 0n || Buffer.compare(printPositive(value), bytes) !== 0) throw new NotWireFormat();
  return value;
}
