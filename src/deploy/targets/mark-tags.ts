import { ProviderFailure } from "../../net/provider-failure.ts";
import type { Mark } from "./target.ts";

/** The tag that says of which secret it is. What has it is ours. */
export const addressTag = "sealtree-address";
const fingerprintTag = "sealtree-fingerprint";

/** What a tag takes at Amazon and Microsoft. */
const maxLength = 256;

/** Which value it is, is not known: somebody wrote another one, or we were cut off. */
export const unknownFingerprint = "0".repeat(16);

/** A mark as tags. Throws `rejected` for an address that no tag takes. */
export function printMarkTags({ address, fingerprint }: Mark): Readonly<Record<string, string>> {
  if (address.length <= maxLength) return { [addressTag]: address, [fingerprintTag]: fingerprint };
  throw new ProviderFailure("rejected", `an address that is longer than ${maxLength} characters fits into no tag`);
}

/** The mark in tags; undefined when there is none. */
export function findMarkTags(tags: ReadonlyMap<string, string>): Mark | undefined {
  const [address, fingerprint = ""] = [tags.get(addressTag), tags.get(fingerprintTag)];
  if (address === undefined) return undefined;
  return { address, fingerprint: /^[0-9a-f]{16}$/.test(fingerprint) ? fingerprint : unknownFingerprint };
}

/** True when both are the same, or neither is. */
export function isSameMark(one: Mark | undefined, other: Mark): boolean {
  return one?.address === other.address && one.fingerprint === other.fingerprint;
}
