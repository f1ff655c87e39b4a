import { ProviderFailure } from "../../net/provider-failure.ts";
import type { Secret } from "../../secret/secret.ts";
import type { Item } from "./target.ts";

/** Throws `rejected` for an empty value, at a service that holds none. */
export function refuseEmpty({ value }: Item, service: string): void {
  if (value.reveal().length === 0) throw new ProviderFailure("rejected", `${service} holds no empty value`);
}

/** Throws `rejected` for a value of more bytes than a service takes, or one that is no text where it takes text. */
export function refuseUnfit({ value }: Item, maxBytes: number, service: string): void {
  if (value.reveal().length > maxBytes) {
    throw new ProviderFailure("rejected", `the value is longer than the ${maxBytes} bytes that ${service} takes`);
  }
  if (value.revealText() === undefined) throw new ProviderFailure("rejected", `${service} holds text alone`);
}

/** For a write that came second: the next look tells what is there now. */
export function overtaken(): ProviderFailure {
  return new ProviderFailure("transient", "somebody else wrote it in the meantime", {
    hints: ["run the same command again: it looks at what is there"],
  });
}

/** True when both are the same bytes; a service may not tell text from bytes. */
export function hasSameBytes(one: Secret | undefined, other: Secret): boolean {
  return one !== undefined && Buffer.compare(one.reveal(), other.reveal()) === 0;
}
