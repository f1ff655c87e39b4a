import { SealtreeError } from "../errors.ts";
import { Secret, type ValueKind } from "../secret/secret.ts";
import { paddedLength } from "./pad.ts";

/** Longest value, in bytes. */
export const maxValueBytes = 1024 * 1024;

/** Bytes of a frame before its value. */
export const frameHeaderBytes = 5;

/** Longest frame, in bytes. */
export const maxFrameBytes = paddedLength(frameHeaderBytes + maxValueBytes);

const kindCodes = { text: 1, binary: 2 } as const satisfies Record<ValueKind, number>;

/**
 * The plaintext that is sealed for a value (docs/format.md, Record): kind, length, value, zeros.
 * `place` is for the message. Throws E_VALUE_TOO_LARGE.
 */
export function encodeFrame(place: { readonly scope: string; readonly name: string }, secret: Secret): Buffer {
  const value = secret.reveal();
  if (value.length > maxValueBytes) {
    throw new SealtreeError(
      "E_VALUE_TOO_LARGE",
      `the value of ${place.scope}/${place.name} has ${value.length} bytes`,
      {
        hints: [`a value has at most ${maxValueBytes} bytes; keep larger files elsewhere and seal their key`],
      },
    );
  }
  const frame = Buffer.alloc(paddedLength(frameHeaderBytes + value.length));
  frame[0] = kindCodes[secret.kind];
  frame.writeUInt32BE(value.length, 1);
  frame.set(value, frameHeaderBytes);
  return frame;
}

/** The value in a frame; undefined for an unknown kind, a length or padding that no writer makes. */
export function decodeFrame(frame: Buffer): Secret | undefined {
  if (frame.length < frameHeaderBytes) return undefined;
  const length = frame.readUInt32BE(1);
  const kind = frame[0] === kindCodes.text ? "text" : frame[0] === kindCodes.binary ? "binary" : undefined;
  const end = frameHeaderBytes + length;
  if (kind === undefined || length > maxValueBytes) return undefined;
  if (paddedLength(end) !== frame.length || frame.subarray(end).some((byte) => byte !== 0)) return undefined;
  return Secret.of(frame.subarray(frameHeaderBytes, end), kind);
}
