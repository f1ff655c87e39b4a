/** What a Bech32 string holds. */
export interface Bech32 {
  /** The part before the last `1`, in the case it was written in. */
  readonly prefix: string;
  readonly bytes: Uint8Array;
}

const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const checksumLength = 6;
const prefixPattern = /^[\x21-\x7e]+$/;

/** Lower-case Bech32 (BIP 173) of `bytes`, without the limit of 90 characters. */
export function encodeBech32(prefix: string, bytes: Uint8Array): string {
  const words = wordsOf(bytes);
  const sum = polymod([...expandPrefix(prefix), ...words, ...Array<number>(checksumLength).fill(0)]) ^ 1;
  for (let shift = 25; shift >= 0; shift -= 5) words.push((sum >> shift) & 31);
  return `${prefix}1${words.map((word) => alphabet[word]).join("")}`;
}

/**
 * The reverse of {@link encodeBech32}, in lower or upper case. Undefined for mixed case, a
 * wrong checksum, another character, or padding bits no encoder makes.
 */
export function decodeBech32(text: string): Bech32 | undefined {
  const lower = text.toLowerCase();
  if (text !== lower && text !== text.toUpperCase()) return undefined;
  const separator = lower.lastIndexOf("1");
  const prefix = lower.slice(0, separator);
  const words = Array.from(lower.slice(separator + 1), (char) => alphabet.indexOf(char));
  if (separator < 1 || !prefixPattern.test(prefix) || words.length < checksumLength || words.includes(-1)) {
    return undefined;
  }
  if (polymod([...expandPrefix(prefix), ...words]) !== 1) return undefined;
  const bytes = bytesOf(words.slice(0, -checksumLength));
  return bytes === undefined ? undefined : { prefix: text.slice(0, separator), bytes };
}

function polymod(words: readonly number[]): number {
  let sum = 1;
  for (const word of words) {
    const top = sum >> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ word;
    for (let bit = 0; bit < 5; bit += 1) if ((top >> bit) & 1) sum ^= generator[bit] ?? 0;
  }
  return sum;
}

function expandPrefix(prefix: string): number[] {
  const codes = Array.from(prefix, (char) => char.charCodeAt(0));
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
}

function wordsOf(bytes: Uint8Array): number[] {
  const words: number[] = [];
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) words.push((held >> (bits - 5)) & 31);
  }
  if (bits > 0) words.push((held << (5 - bits)) & 31);
  return words;
}

function bytesOf(words: readonly number[]): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((words.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let length = 0;
  for (const word of words) {
    held = ((held << 5) | word) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[length++] = (held >> bits) & 0xff;
  }
  return bits < 5 && (held & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}
