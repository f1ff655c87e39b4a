import { SealtreeError } from "../errors.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { Redacted } from "../secret/redacted.ts";
import type { Secret, ValueKind } from "../secret/secret.ts";
import type { Secret as SecretHandle } from "./repository.ts";

/** A value that a provider gave, and which value it is where the provider says so. */
export interface ProvidedValue {
  readonly value: Secret;
  /** 16 hex digits, new with every value; it says nothing of the value. */
  readonly valueId?: string | undefined;
}

/** The secret that the library hands out: the contract is that of {@link SecretHandle}. */
export class RuntimeSecret extends Redacted implements SecretHandle {
  readonly #value: Secret;
  readonly address: string;
  readonly source: string;
  readonly valueId: string | undefined;

  constructor(address: Address, source: string, { value, valueId }: ProvidedValue) {
    super();
    this.#value = value;
    this.address = printAddress(address);
    this.source = source;
    this.valueId = valueId;
  }

  get kind(): ValueKind {
    return this.#value.kind;
  }

  revealText(): string {
    const text = this.#value.revealText();
    if (text !== undefined) return text;
    throw new SealtreeError("E_VALUE_UNFIT", `the value of ${this.address} is binary and no text`, {
      hints: ["take its bytes: revealBytes()"],
    });
  }

  revealBytes(): Uint8Array {
    return Uint8Array.from(this.#value.reveal());
  }

  /** True when both hold the same bytes. */
  equals(other: RuntimeSecret): boolean {
    return Buffer.compare(this.#value.reveal(), other.#value.reveal()) === 0;
  }

  /**
   * True when it is another value than `before`. By the ids where one source gave both: a value that was
   * set anew to the same bytes was rotated too. Otherwise by the bytes.
   */
  isRotatedFrom(before: RuntimeSecret): boolean {
    const hasIds = this.source === before.source && this.valueId !== undefined && before.valueId !== undefined;
    return hasIds ? this.valueId !== before.valueId : !this.equals(before);
  }

  /** What masks it in a text of somebody else. */
  toSecret(): Secret {
    return this.#value;
  }

  protected get label(): string {
    return "Secret";
  }
}
