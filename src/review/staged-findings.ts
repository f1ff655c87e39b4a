import { parseMemberFile } from "../access/member-file.ts";
import { isSealtreeError } from "../errors.ts";
import { openObjects, type BulkBlob } from "../git/objects.ts";
import type { GitPlace } from "../git/place.ts";
import { listStaged, type StagedFile } from "../git/staged.ts";
import type { ScopePath } from "../secret/address.ts";
import type { Finding } from "../store/finding.ts";
import { parseGenerationFile } from "../store/generation-file.ts";
import { membersDirectory, parseSecretsPath, policiesDirectory, secretsDirectory } from "../store/layout.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { findView, listPlainNames, listScopeNames } from "./decrypted-view.ts";
import { findingOf } from "../store/finding-of.ts";
import { findPrivateKeys } from "./private-keys.ts";
import { readScopeProblems } from "./scope-problems.ts";

export interface StagedRequest {
  /** The index that is about to be committed; the user's without. */
  readonly index: string | undefined;
  /** False lets files through that look like a decrypted view. */
  readonly refusesViews: boolean;
}

/** Largest file that is looked into, in bytes. */
const maxBytes = 8 * 1024 * 1024;
const conflictMarker = /^(?:<{7}|>{7}|\|{7})(?: |\r?$)/m;

/**
 * What must not be committed of what is staged: private keys anywhere, plaintext and malformed
 * files among ours, conflict markers in them, and files that look like a decrypted scope.
 * Errors are what must not; a notice says what was not looked into. Looks at staged files only, by
 * two git processes whatever their number; what scopes there are is told by the work tree.
 */
export async function findStagedProblems(place: GitPlace, request: StagedRequest): Promise<Finding[]> {
  const staged = (await listStaged(place, request.index)).filter(({ mode }) => mode !== "160000");
  if (staged.length === 0) return [];
  const findings: Finding[] = [];
  let scopes: Promise<Map<ScopePath, readonly string[]>> | undefined;
  const objects = openObjects(place);
  try {
    let at = 0;
    for await (const blob of objects.readBlobs(
      staged.map(({ id }) => id),
      maxBytes,
    )) {
      const file = staged[at++];
      if (file === undefined) break;
      findings.push(...judgeFile(file, blob));
      if (!request.refusesViews || isOurFolder(file.path) || blob.bytes === undefined) continue;
      const names = listPlainNames(blob.bytes);
      if (names.size < 3) continue;
      scopes ??= listScopeNames(openWorkTree(place.root));
      const view = findView(names, await scopes);
      if (view === undefined) continue;
      const message = `it looks like ${view.scope} in plaintext: it has ${view.found} of its ${view.total} names with values`;
      const hint = "take it out: git rm --cached; when the values are examples: SEALTREE_ALLOW_VIEW=1 git commit";
      findings.push({ rule: "decrypted-view", severity: "error", message, file: file.path, line: view.line, hint });
    }
    return findings;
  } finally {
    objects.close();
  }
}

function isOurFolder(path: string): boolean {
  return path.startsWith(`${secretsDirectory}/`) || path.startsWith(`${policiesDirectory}/`);
}

function judgeFile({ path, mode }: StagedFile, blob: BulkBlob): Finding[] {
  const isOurs = isOurFolder(path);
  const report = (rule: string, message: string, hint: string, line = 1): Finding => ({
    rule,
    severity: "error",
    message,
    file: path,
    line,
    hint,
  });
  if (isOurs && mode === "120000")
    return [report("stray-file", "it is a symbolic link", "sealtree reads regular files only; replace it")];
  if (blob.bytes === undefined) {
    const message = `it was not looked into: ${blob.why}`;
    return [{ rule: "staged-file", severity: isOurs ? "error" : "notice", message, file: path }];
  }
  const { bytes } = blob;
  const hint = "take it out: git rm --cached; a key that was committed before counts as leaked";
  const keys = findPrivateKeys(bytes).map(({ line, what }) => report("private-key", `it holds ${what}`, hint, line));
  return [...keys, ...(isOurs ? judgeOurs(path, bytes, report) : [])];
}

type Report = (rule: string, message: string, hint: string, line?: number) => Finding;

function judgeOurs(path: string, bytes: Uint8Array, report: Report): Finding[] {
  const parsed = parseSecretsPath(path);
  if (parsed?.kind === "scope")
    return readScopeProblems(bytes, parsed.scope).problems.map((error) =>
      findingOf("scope-file", error, { file: path }),
    );
  const text = Buffer.from(bytes).toString("latin1");
  const marker = conflictMarker.exec(text);
  if (marker !== null) {
    const line = text.slice(0, marker.index).split("\n").length;
    return [report("conflict-markers", "the file has conflict markers", "settle it: sealtree resolve", line)];
  }
  if (parsed?.kind === "generation") {
    try {
      parseGenerationFile(bytes, parsed.scope, parsed.generation);
      return [];
    } catch (error) {
      if (isSealtreeError(error)) return [findingOf("keyring", error, { file: path })];
      throw error;
    }
  }
  if (path.startsWith(`${membersDirectory}/`) && path.endsWith(".pub"))
    return [...parseMemberFile(bytes, path).findings];
  if (parsed !== undefined || !path.startsWith(`${secretsDirectory}/`)) return [];
  const message = "this is no file of sealtree; if it holds a secret, that is in plain sight";
  return [
    report("stray-file", message, "take it out: git rm --cached, or seal it: sealtree encrypt FILE --scope SCOPE"),
  ];
}
