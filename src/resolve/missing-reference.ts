import { SealtreeError } from "../errors.ts";
import { printAddress, type Address } from "../secret/address.ts";

/** A reference that cannot be resolved. */
export interface MissingReference {
  readonly address: Address;
  /** Where it stands: `config.yaml:12`, or the address of the value that has it. */
  readonly place: string;
  /** The file and the line, when it stands in one. */
  readonly file?: string;
  readonly line?: number;
  /** E_SCOPE_NOT_FOUND, E_SECRET_NOT_FOUND or E_NO_ACCESS. */
  readonly error: SealtreeError;
}

/** One error for all of them: E_NO_ACCESS when that is the reason for each, E_REFERENCE_MISSING otherwise. */
export function missingError(missing: readonly MissingReference[]): SealtreeError {
  const isClosed = missing.every(({ error }) => error.code === "E_NO_ACCESS");
  const lines = missing.map(({ place, address, error }) => `${place}: ${printAddress(address)}: ${reasonOf(error)}`);
  const first = missing.find((it) => it.line !== undefined);
  const what = missing.length === 1 ? "a reference cannot" : `${missing.length} references cannot`;
  return new SealtreeError(isClosed ? "E_NO_ACCESS" : "E_REFERENCE_MISSING", `${what} be resolved`, {
    ...(first?.file === undefined ? {} : { file: first.file }),
    ...(first?.line === undefined ? {} : { line: first.line }),
    hints: [...new Set(lines), nextStep(missing, isClosed)],
  });
}

function reasonOf({ code, hints }: SealtreeError): string {
  const meant = hints.find((hint) => hint.startsWith("did you mean"));
  const more = meant === undefined ? "" : `, ${meant}`;
  if (code === "E_SCOPE_NOT_FOUND") return `no such scope${more}`;
  return code === "E_NO_ACCESS" ? "none of your identities opens it" : `no such secret${more}`;
}

function nextStep([first]: readonly MissingReference[], isClosed: boolean): string {
  if (first === undefined) return "sealtree list shows what is there";
  return isClosed
    ? `who can read it: sealtree access who ${printAddress(first.address)}`
    : `sealtree list shows what is there; sealtree set ${printAddress(first.address)} adds it`;
}
