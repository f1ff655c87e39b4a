import { openRecord, parseRecordHeader } from "../crypto/record.ts";
import { isSealtreeError, SealtreeError } from "../errors.ts";
import { isScopePath, type ScopePath, type SecretName } from "../secret/address.ts";
import { listScopes, readScope, listGenerations } from "../store/keyring.ts";
import { scopeFilePath } from "../store/layout.ts";
import type { OpenGeneration } from "../store/open-generation.ts";
import type { ScopeEntries } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";

interface Misplaced {
  readonly tree: Tree;
  readonly scope: ScopePath;
  readonly entries: ScopeEntries;
  generation(id: string): Promise<OpenGeneration>;
}

/**
 * A better error for a record that does not open where it stands: names what it was sealed
 * for, when that is another secret of the scope or another scope of the tree. Holds the
 * line of the file. The value stays sealed to the caller.
 */
export async function explainMisplaced(
  at: Misplaced,
  name: SecretName,
  record: string,
  cause: SealtreeError,
): Promise<SealtreeError> {
  const file = scopeFilePath(at.scope);
  const line = at.entries.get(name)?.line;
  const where = line === undefined || line === 0 ? file : `${file}:${line}`;
  const context = { file, ...(line === undefined ? {} : { line }), cause };
  const origin = await findOrigin(at, name, record);
  if (origin !== undefined) {
    return new SealtreeError("E_RECORD_INTEGRITY", `${where}: sealed for ${origin}, found at ${at.scope}/${name}`, {
      ...context,
      hints: [
        `take the line of ${name} from an earlier commit; to copy or rename a secret use sealtree cp or sealtree mv`,
      ],
    });
  }
  return new SealtreeError(cause.code, `${where}: ${cause.message}`, { ...context, hints: cause.hints });
}

async function findOrigin(at: Misplaced, name: SecretName, record: string): Promise<string | undefined> {
  try {
    const { generation } = parseRecordHeader(record);
    if ((await listGenerations(at.tree, at.scope)).includes(generation))
      return await findSibling(at, name, record, generation);
    for (const scope of await listScopes(at.tree)) {
      if (!(await listGenerations(at.tree, scope)).includes(generation)) continue;
      const names = [...((await readScope(at.tree, scope)) ?? [])]
        .filter(([, entry]) => entry.record === record)
        .map(([found]) => found);
      return isScopePath(scope) && names[0] !== undefined ? `${scope}/${names[0]}` : scope;
    }
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
  }
  return undefined;
}

async function findSibling(
  at: Misplaced,
  name: SecretName,
  record: string,
  generation: string,
): Promise<string | undefined> {
  const { dek } = await at.generation(generation);
  for (const sibling of at.entries.keys()) {
    if (sibling === name) continue;
    try {
      openRecord(dek, { scope: at.scope, name: sibling, purpose: "value" }, record);
      return `${at.scope}/${sibling}`;
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
    }
  }
  return undefined;
}
