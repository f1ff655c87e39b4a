import { isUtf8 } from "node:buffer";

/** The text of UTF-8 bytes, a byte order mark included; undefined when they are anything else. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8") : undefined;
}
