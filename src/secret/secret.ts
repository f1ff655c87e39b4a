import { Redacted } from "./redacted.ts";
import { decodeUtf8 } from "./utf8.ts";

/** How a value is meant to be read. Bytes are exact in both. */
export type ValueKind = "text" | "binary";

/**
 * A plaintext value in memory. Every accidental way out (template, JSON, inspect, spread)
 * gives `[redacted]`; {@link Secret.reveal} and {@link Secret.revealText} are the only
 * exits, and test/leaks lists who calls them. This lowers accidents; it is no cryptography,
 * and JavaScript cannot wipe memory.
 */
export class Secret extends Redacted {
  readonly #bytes: Uint8Array;
  readonly kind: ValueKind;

  private constructor(bytes: Uint8Array, kind: ValueKind) {
    super();
    this.#bytes = bytes;
    this.kind = kind;
  }

  /** A text value; the string is encoded as UTF-8. */
  static text(value: string): Secret {
    return new Secret(new TextEncoder().encode(value), "text");
  }

  /** A value of a known kind. Keeps `bytes` without copying. */
  static of(bytes: Uint8Array, kind: ValueKind): Secret {
    return new Secret(bytes, kind);
  }

  /** Text when `bytes` are UTF-8 without NUL, otherwise binary. */
  static fromBytes(bytes: Uint8Array): Secret {
    return new Secret(bytes, isPlainText(bytes) ? "text" : "binary");
  }

  /** The value's bytes, exactly as they were set. */
  reveal(): Uint8Array {
    return this.#bytes;
  }

  /** The value as a string; undefined when its bytes are not UTF-8. */
  revealText(): string | undefined {
    return decodeUtf8(this.#bytes);
  }

  /** True when both hold the same bytes and kind. */
  equals(other: Secret): boolean {
    return this.kind === other.kind && Buffer.compare(this.#bytes, other.#bytes) === 0;
  }

  protected get label(): string {
    return "Secret";
  }
}

function isPlainText(bytes: Uint8Array): boolean {
  return !bytes.includes(0) && decodeUtf8(bytes) !== undefined;
}
