import type { SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";

/** The secrets of one scope, in the order they are printed. */
export type Entries = ReadonlyMap<SecretName, Secret>;
