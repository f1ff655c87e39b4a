import { isSecretName, type SecretName } from "../secret/address.ts";
import { listSightings, parseSighting, type Sighting } from "./scan-scope.ts";

/** What a version of a scope file holds, by name: of each its value and generation. */
export type SeenValues = ReadonlyMap<SecretName, Sighting>;

/** Reads the sound lines of many versions of scope files, each line once. A damaged file is no failure. */
export class SightingReader {
  /** By the beginning of the line. */
  readonly #parsed = new Map<string, readonly [SecretName, Sighting] | undefined>();

  read(bytes: Uint8Array): SeenValues {
    const values = new Map<SecretName, Sighting>();
    for (const text of listSightings(bytes)) {
      if (!this.#parsed.has(text)) this.#parsed.set(text, readLine(text));
      const entry = this.#parsed.get(text);
      if (entry !== undefined) values.set(...entry);
    }
    return values;
  }
}

function readLine(text: string): readonly [SecretName, Sighting] | undefined {
  const sighting = parseSighting(text);
  return sighting === undefined || !isSecretName(sighting.name) ? undefined : [sighting.name, sighting];
}
