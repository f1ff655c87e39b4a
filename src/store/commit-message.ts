import { printAddress, type Address, type ScopePath } from "../secret/address.ts";

/** Why a write was made; kept in the commit so that history can be read by machines. */
export type WriteReason =
  | "manual"
  | "rotation"
  | "emergency"
  | "rollback"
  | "import"
  | "rekey"
  | "adopt"
  | "policy"
  | "setup";

export interface CommitText {
  /** `secrets(prod/api): rotate STRIPE_KEY` */
  readonly subject: string;
  readonly reason: WriteReason;
  /** Free words of the person, on one line. */
  readonly note?: string | undefined;
  /** Secrets whose value changed. */
  readonly secrets: readonly Address[];
  /** Scopes that were sealed again. */
  readonly rekeyed?: readonly ScopePath[];
  /** Set when a machine acts for a person. */
  readonly actor?: string | undefined;
}

export const reasonTrailer = "Sealtree-Reason";
export const secretTrailer = "Sealtree-Secret";
export const rekeyedTrailer = "Sealtree-Rekeyed";

/** A commit message with trailers that `git interpret-trailers` reads. Holds names only, never a value. */
export function printCommitMessage(text: CommitText): string {
  const trailers = [
    `${reasonTrailer}: ${text.reason}`,
    ...text.secrets.map((address) => `${secretTrailer}: ${printAddress(address)}`),
    ...(text.rekeyed ?? []).map((scope) => `${rekeyedTrailer}: ${scope}`),
    ...(text.actor === undefined ? [] : [`Sealtree-Actor: ${oneLine(text.actor)}`]),
  ];
  const note = text.note === undefined ? "" : oneLine(text.note);
  return `${text.subject}\n\n${note === "" ? "" : `${note}\n\n`}${trailers.join("\n")}\n`;
}

/** The subject for a change of `names` in a scope: one name is said, more are counted; none is a change of comments. */
export function changeSubject(verb: string, scope: ScopePath, names: readonly string[]): string {
  const what = names.length === 0 ? "comments" : names.length === 1 ? (names[0] ?? "") : `${names.length} secrets`;
  return `secrets(${scope}): ${verb} ${what}`;
}

function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- keeps a note from adding lines or trailers
  return text.replaceAll(/[\u0000-\u001f\u007f]+/g, " ").trim();
}
