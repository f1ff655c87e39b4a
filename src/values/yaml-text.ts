import type { SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import type { Entries } from "./entries.ts";
import { readYamlMap } from "./yaml-map.ts";
import { printYamlKey, printYamlValue } from "./yaml-scalar.ts";

/**
 * The entries of a flat YAML map. Every scalar is the text it is written as, `!!binary` is
 * bytes. Throws E_INPUT_INVALID and E_NAME_INVALID, as {@link readYamlMap} says.
 */
export function parseYaml(text: string): Map<SecretName, Secret> {
  return readYamlMap(text).entries;
}

/**
 * The entries as a flat YAML map that every YAML 1.1 and 1.2 parser reads as the same strings.
 * Never refuses a value. What it returns was parsed again and compared.
 */
export function printYaml(entries: Entries): string {
  if (entries.size === 0) return "{}\n";
  const text = [...entries].map(([name, secret]) => printYamlRecord(name, secret)).join("");
  assertSameEntries(parseYaml(text), entries);
  return text;
}

/** One `name: value` record with its final newline. */
export function printYamlRecord(name: SecretName, secret: Secret): string {
  return `${printYamlKey(name)}: ${printYamlValue(secret)}\n`;
}

/** Throws a bug when a printed text does not hold the same names, bytes and order. */
export function assertSameEntries(reread: Entries, entries: Entries): void {
  const expected = [...entries];
  const same =
    reread.size === entries.size &&
    [...reread].every(([name, secret], index) => {
      const [expectedName, expectedSecret] = expected[index] ?? [];
      return (
        name === expectedName &&
        expectedSecret !== undefined &&
        Buffer.compare(secret.reveal(), expectedSecret.reveal()) === 0
      );
    });
  if (!same) throw new Error("the YAML that was printed reads back differently");
}
