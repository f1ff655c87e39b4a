import { maxValueBytes } from "../crypto/frame.ts";
import type { Identity } from "../crypto/identity.ts";
import { hasCode, SealtreeError } from "../errors.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { splitReferences } from "../secret/reference.ts";
import { Secret } from "../secret/secret.ts";
import type { Tree } from "../store/tree.ts";
import type { SelectedSecret } from "../values/select-secrets.ts";
import { indexLines } from "./line-index.ts";
import { missingError, type MissingReference } from "./missing-reference.ts";
import { createSecretSource, type SecretSource } from "./secret-source.ts";

/** A secret whose references are resolved. */
export interface ResolvedSecret extends SelectedSecret {
  /** The value as it is delivered; the stored one where it has no references. */
  readonly secret: Secret;
  /** Every other secret that went into the value, also through others, as it is stored; by address, each once. */
  readonly references: readonly SelectedSecret[];
  /** What each of those put into the value, its own references resolved: what to mask beside the value itself. */
  readonly parts: readonly Secret[];
}

/** Resolves what one run asks for; every secret is opened and resolved once. */
export interface Interpolation {
  /** The value of `item`, resolved. What cannot be opened goes to `missing`, and the result is then of no use. */
  resolve(item: SelectedSecret, missing: MissingReference[]): Promise<ResolvedSecret>;
}

/** So many secrets may stand in a row, each referring to the next. */
const maxDepth = 32;
/** All resolved values of a run together, in bytes. */
const maxTotalBytes = 64 * 1024 * 1024;

const opening = Buffer.from("${secret:");

/**
 * The values of `selected` with their references resolved, in the same order. A value without any
 * is passed on as it is, and when none has any nothing is opened. A value may refer to a secret of
 * another scope only when everybody who can read the value can read that secret too: otherwise whoever
 * may write here could have a run with more rights hand it out. A value that is one reference
 * and nothing else may be binary.
 *
 * Throws E_REFERENCE_MISSING, or E_NO_ACCESS when that is the reason for all, with a line for each that
 * is missing; E_REFERENCE_INVALID, E_REFERENCE_CYCLE, E_REFERENCE_REFUSED, E_VALUE_TOO_LARGE, E_VALUE_UNFIT.
 */
export async function resolveValues(
  tree: Tree,
  identities: readonly Identity[],
  selected: readonly SelectedSecret[],
): Promise<ResolvedSecret[]> {
  const interpolation = createInterpolation(createSecretSource(tree, identities));
  const missing: MissingReference[] = [];
  const resolved: ResolvedSecret[] = [];
  for (const item of selected) resolved.push(await interpolation.resolve(item, missing));
  if (missing.length > 0) throw missingError(missing);
  return resolved;
}

/** True for a value that has references or escaped ones. */
export function mayRefer(secret: Secret): boolean {
  if (secret.kind === "binary") return false;
  const bytes = secret.reveal();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(opening);
}

/** An interpolation that opens what is referred to from `source`. */
export function createInterpolation(source: SecretSource): Interpolation {
  const done = new Map<string, ResolvedSecret>();
  let totalBytes = 0;

  const resolve = async (
    item: SelectedSecret,
    above: readonly string[],
    missing: MissingReference[],
  ): Promise<ResolvedSecret> => {
    if (!mayRefer(item.secret)) return { ...item, references: [], parts: [] };
    const own = printAddress(item.address);
    const known = done.get(own);
    if (known !== undefined) return known;
    checkPath(own, above);
    if (item.isDrop) throw dropRefused(item.address);
    const path = [...above, own];
    const pieces: Secret[] = [];
    const references = new Map<string, SelectedSecret>();
    const parts = new Set<Secret>();
    const text = item.secret.revealText() ?? "";
    for (const piece of splitReferences(text)) {
      if (piece.kind === "malformed") throw malformed(own, text, piece.start);
      if (piece.kind === "text") {
        pieces.push(Secret.text(piece.text));
        continue;
      }
      const target = await open(item.address, piece.address, missing);
      if (target === undefined) continue;
      const { secret, references: below, parts: inner } = await resolve(target, path, missing);
      for (const it of [target, ...below]) references.set(printAddress(it.address), it);
      for (const part of [secret, ...inner]) parts.add(part);
      pieces.push(secret);
    }
    const secret = join(own, pieces);
    totalBytes += secret.reveal().length;
    if (totalBytes > maxTotalBytes) throw tooLarge(own, "all values together", maxTotalBytes);
    const resolved = { ...item, secret, references: [...references.values()], parts: [...parts] };
    done.set(own, resolved);
    return resolved;
  };

  const open = async (
    from: Address,
    address: Address,
    missing: MissingReference[],
  ): Promise<SelectedSecret | undefined> => {
    try {
      if (address.scope !== from.scope && (await source.has(address))) await checkMayRefer(source, from, address);
      return await source.open(address);
    } catch (error) {
      if (!hasCode(error, "E_SCOPE_NOT_FOUND", "E_SECRET_NOT_FOUND", "E_NO_ACCESS")) throw error;
      missing.push({ address, place: printAddress(from), error });
      return undefined;
    }
  };

  return { resolve: async (item, missing) => await resolve(item, [], missing) };
}

async function checkMayRefer(source: SecretSource, from: Address, to: Address): Promise<void> {
  const names = await source.readersWithout(from.scope, to);
  if (names?.length === 0) return;
  const [own, other] = [printAddress(from), printAddress(to)];
  const reason =
    names === undefined
      ? `it is not known who can read ${from.scope}`
      : `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""} can read ${from.scope} and not ${other}`;
  throw new SealtreeError("E_REFERENCE_REFUSED", `${own} may not refer to ${other}: ${reason}`, {
    hints: [
      names === undefined ? `sealtree rekey ${from.scope}` : `let them read it too: sealtree access who ${other}`,
      `or put the reference into a template, for a run that may read both: sealtree render --help`,
    ],
  });
}

function checkPath(own: string, above: readonly string[]): void {
  const start = above.indexOf(own);
  if (start !== -1) {
    const circle = [...above.slice(start), own].join(" -> ");
    throw new SealtreeError("E_REFERENCE_CYCLE", `values refer to each other in a circle: ${circle}`, {
      hints: [`cut it: sealtree edit ${own.slice(0, own.lastIndexOf("/"))}`],
    });
  }
  if (above.length >= maxDepth) {
    throw new SealtreeError("E_REFERENCE_INVALID", `${above[0] ?? own} refers to others more than ${maxDepth} deep`, {
      hints: ["refer to the value itself"],
    });
  }
}

function join(own: string, parts: readonly Secret[]): Secret {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const length = parts.reduce((sum, part) => sum + part.reveal().length, 0);
  if (length > maxValueBytes) throw tooLarge(own, "its value", maxValueBytes);
  if (parts.some(({ kind }) => kind === "binary")) {
    throw new SealtreeError("E_VALUE_UNFIT", `${own} has a binary value within text`, {
      hints: ["only a value that is one reference and nothing else can be binary"],
    });
  }
  return Secret.of(Buffer.concat(parts.map((part) => part.reveal())), "text");
}

function malformed(own: string, text: string, offset: number): SealtreeError {
  const { line, column } = indexLines(text)(offset);
  const what = `begins at line ${line}, column ${column} as a reference does, and is none`;
  return new SealtreeError("E_REFERENCE_INVALID", `the value of ${own} ${what}`, {
    hints: ["a reference is ${secret:scope/NAME}", "if it is meant as text: $${secret:"],
  });
}

function dropRefused({ scope, name }: Address): SealtreeError {
  return new SealtreeError(
    "E_REFERENCE_REFUSED",
    `${scope}/${name} has references, and was set by somebody who may not read ${scope}`,
    { hints: [`look at it, then take it over: sealtree adopt ${scope}`] },
  );
}

function tooLarge(own: string, what: string, bytes: number): SealtreeError {
  return new SealtreeError(
    "E_VALUE_TOO_LARGE",
    `${own}: with its references, ${what} would have more than ${bytes} bytes`,
    {
      hints: ["keep large values apart, and refer to them where they are used"],
    },
  );
}
