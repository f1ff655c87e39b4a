import type { Session } from "../access/session.ts";
import { readSealedHeader } from "../crypto/sealed-header.ts";
import { SealtreeError } from "../errors.ts";
import { printAddress, type Address, type ScopePath, type SecretName } from "../secret/address.ts";
import { readScope } from "../store/keyring.ts";
import { parseSecretsPath, secretsDirectory } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import type { WriteOutcome } from "../store/write.ts";
import type { ChangeSummary, ScopeChange, ValueChange } from "./change-scope.ts";
import { openScope } from "./open-scope.ts";
import { writeValues, type ValueWriteOptions } from "./write-values.ts";

/** One secret to another address, or all of a scope to a scope that is not there yet. */
export type Move =
  | { readonly kind: "secret"; readonly from: Address; readonly to: Address }
  | { readonly kind: "scope"; readonly from: ScopePath; readonly to: ScopePath };

export interface MoveOptions extends Omit<ValueWriteOptions, "verb" | "subject" | "reason"> {
  /** `move` takes the source away. Both keep the value id: who could read the value there knows it here. */
  readonly way: "move" | "copy";
  /** What becomes of a secret that is at the destination. */
  readonly existing: "refuse" | "replace";
}

/**
 * Moves or copies values in one commit, with their comments and the time they were set. The
 * destination is written before the source goes. The keyring of a scope that is moved stays
 * for its history. Throws E_SCOPE_NOT_FOUND, E_SECRET_NOT_FOUND, E_EXISTS, E_ROTATION_NOT_DONE
 * for a secret that is being rotated, and what writing throws.
 */
export async function moveValues(
  session: Session,
  move: Move,
  options: MoveOptions,
): Promise<WriteOutcome<readonly ChangeSummary[]>> {
  const verb = options.way === "move" ? "move" : "copy";
  const [source, destination] =
    move.kind === "scope" ? [move.from, move.to] : [printAddress(move.from), printAddress(move.to)];
  const subject = `secrets: ${verb} ${source} to ${destination}`;
  return await writeValues(session, { ...options, verb, subject, reason: "manual" }, async (tree) => {
    const [from, to] = scopesOf(move);
    const opened = await openScope(tree, from, await session.identities());
    const names = move.kind === "scope" ? [...opened.entries.keys()] : [move.from.name];
    if (options.way === "move") await checkNotRotating(tree, from, names);
    await checkDestination(tree, move, options.existing);
    const arriving = new Map<SecretName, ValueChange>();
    for (const name of names) {
      const secret = await opened.open(name);
      const { record, comments } = opened.entries.get(name) ?? { record: "", comments: [] };
      const { valueId, createdAt } = readSealedHeader(record);
      const origin = { valueId, createdAt };
      arriving.set(move.kind === "secret" ? move.to.name : name, { action: "set", secret, comments, origin });
    }
    return options.way === "copy" ? [{ scope: to, changes: arriving }] : join(move, arriving, names);
  });
}

/** True when the destination of one secret is taken. */
export async function isTaken(tree: Tree, { scope, name }: Address): Promise<boolean> {
  return (await readScope(tree, scope))?.has(name) === true;
}

function join(move: Move, arriving: Map<SecretName, ValueChange>, names: readonly SecretName[]): ScopeChange[] {
  const [from, to] = scopesOf(move);
  const leaving = new Map<SecretName, ValueChange>(names.map((name) => [name, { action: "unset" }]));
  if (from === to) return [{ scope: to, changes: new Map([...leaving, ...arriving]) }];
  const whenEmpty = move.kind === "scope" ? "remove" : "keep";
  return [
    { scope: to, changes: arriving },
    { scope: from, changes: leaving, whenEmpty },
  ];
}

function scopesOf(move: Move): readonly [ScopePath, ScopePath] {
  return move.kind === "scope" ? [move.from, move.to] : [move.from.scope, move.to.scope];
}

async function checkDestination(tree: Tree, move: Move, existing: MoveOptions["existing"]): Promise<void> {
  if (move.kind === "scope") {
    if ((await readScope(tree, move.to)) === undefined) return;
    throw new SealtreeError("E_EXISTS", `the scope ${move.to} is there already`, {
      hints: ["move its secrets one at a time, or name a scope that is not there"],
    });
  }
  if (printAddress(move.from) === printAddress(move.to)) {
    throw new SealtreeError("E_USAGE", "source and destination are the same address");
  }
  if (existing === "replace" || !(await isTaken(tree, move.to))) return;
  throw new SealtreeError("E_EXISTS", `${printAddress(move.to)} is there already`, {
    hints: ["--force writes over it; its value stays in the history"],
  });
}

async function checkNotRotating(tree: Tree, scope: ScopePath, names: readonly SecretName[]): Promise<void> {
  for (const path of await tree.list(`${secretsDirectory}/${scope}.rotation`)) {
    const parsed = parseSecretsPath(path);
    if (parsed?.kind !== "journal" || parsed.scope !== scope || !names.includes(parsed.name)) continue;
    throw new SealtreeError("E_ROTATION_NOT_DONE", `${scope}/${parsed.name} is being rotated`, {
      hints: [`finish it first: sealtree rotate ${scope}/${parsed.name} --resume`],
    });
  }
}
