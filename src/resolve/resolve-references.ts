import { hasCode, SealtreeError } from "../errors.ts";
import { printAddress, type Address } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import type { SelectedSecret } from "../values/select-secrets.ts";
import { createInterpolation, type ResolvedSecret } from "./interpolate.ts";
import { missingError, type MissingReference } from "./missing-reference.ts";
import type { SecretSource } from "./secret-source.ts";

/** A reference in a file. */
export interface FileReference {
  readonly address: Address;
  readonly file: string;
  readonly line: number;
}

/** What references stand for. */
export interface ReferencedValues {
  /** The resolved value as text. Only for an address that was among the references. */
  textOf(address: Address): string;
  /** Every secret that was opened, also those that others refer to; by address, each once. */
  readonly opened: readonly SelectedSecret[];
  /** Every value that was opened or made: what to mask. */
  readonly values: readonly Secret[];
}

/**
 * Opens and resolves what files refer to, each secret once. Throws E_REFERENCE_MISSING or E_NO_ACCESS
 * with every place that cannot be resolved, E_VALUE_UNFIT for a binary value, and what resolving values throws.
 */
export async function resolveReferences(
  references: readonly FileReference[],
  source: SecretSource,
): Promise<ReferencedValues> {
  const interpolation = createInterpolation(source);
  const resolved = new Map<string, ResolvedSecret>();
  const missing: MissingReference[] = [];
  for (const { address, file, line } of references) {
    const printed = printAddress(address);
    if (resolved.has(printed)) continue;
    try {
      const value = await interpolation.resolve(await source.open(address), missing);
      if (value.secret.kind === "binary" || value.secret.revealText() === undefined) throw binary(file, line, printed);
      resolved.set(printed, value);
    } catch (error) {
      if (!hasCode(error, "E_SCOPE_NOT_FOUND", "E_SECRET_NOT_FOUND", "E_NO_ACCESS")) throw error;
      missing.push({ address, place: `${file}:${line}`, file, line, error });
    }
  }
  if (missing.length > 0) throw missingError(missing);
  const opened = new Map<string, SelectedSecret>();
  for (const value of resolved.values()) {
    for (const it of value.references) opened.set(printAddress(it.address), it);
  }
  const values = [...resolved.values()].flatMap(({ secret, parts }) => [secret, ...parts]);
  for (const [printed, value] of resolved) opened.set(printed, value);
  return {
    textOf: (address) => resolved.get(printAddress(address))?.secret.revealText() ?? "",
    opened: [...opened.values()],
    values,
  };
}

function binary(file: string, line: number, address: string): SealtreeError {
  return new SealtreeError("E_VALUE_UNFIT", `${file}:${line}: ${address} is binary, and a text cannot hold it`, {
    file,
    line,
    hints: ["store it as base64 text, or let the program read it: sealtree get ADDRESS --reveal"],
  });
}
