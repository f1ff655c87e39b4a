import type { Session } from "../access/session.ts";
import { hasCode, isSealtreeError } from "../errors.ts";
import { planAttributes } from "../history/git-setup.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import { listScopes } from "../store/keyring.ts";
import { policiesDirectory, scopeFilePath, secretsDirectory } from "../store/layout.ts";
import { parseScopeFile, printScopeFile } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";
import { writeFiles, type FileChange, type WriteOptions, type WriteOutcome } from "../store/write.ts";
import { isOurs } from "./our-files.ts";

/** Something that was put right. */
export interface Fix {
  readonly file: string;
  /** In a few words. */
  readonly what: string;
}

export interface FixRequest extends WriteOptions {
  readonly note?: string | undefined;
}

/**
 * Puts right what can be without a key and without a choice, in one commit: our lines of
 * `.gitattributes`, files marked as programs, and the order and form of scope files that the
 * strict reader takes. No record changes. Throws what writeFiles throws.
 */
export async function fixTree(session: Session, request: FixRequest): Promise<WriteOutcome<readonly Fix[]>> {
  return await writeFiles(session.place, request, async (tree) => {
    const planned = [...(await fixAttributes(tree)), ...(await fixFiles(tree))];
    return {
      changes: planned.map(({ change }) => change),
      touched: [],
      text: { subject: "secrets: put files in order", reason: "setup", note: request.note },
      result: planned.map(({ change, what }) => ({ file: change.path, what })),
    };
  });
}

interface PlannedFix {
  readonly change: FileChange;
  readonly what: string;
}

async function fixAttributes(tree: Tree): Promise<PlannedFix[]> {
  const change = await orSkip(async () => await planAttributes(tree));
  return change === undefined ? [] : [{ change, what: "the lines that tell git how to merge scope files" }];
}

async function fixFiles(tree: Tree): Promise<PlannedFix[]> {
  const scopes = new Map(
    (await orSkip(async () => await listScopes(tree)))?.map((scope) => [scopeFilePath(scope), scope]),
  );
  const paths = [...((await orSkip(async () => await tree.list(policiesDirectory))) ?? [])];
  paths.push(...((await orSkip(async () => await tree.list(secretsDirectory))) ?? []));
  const planned: PlannedFix[] = [];
  for (const path of paths) {
    const scope = scopes.get(path);
    const isProgram = isOurs(path) && (await tree.isExecutable?.(path)) === true;
    if (scope === undefined && !isProgram) continue;
    const text = decodeUtf8((await orSkip(async () => await tree.read(path))) ?? Buffer.of(0xff));
    if (text === undefined) continue;
    const tidy = scope === undefined ? text : ((await orSkip(() => tidyScope(text, scope))) ?? text);
    const parts = [...(tidy === text ? [] : ["order and form"]), ...(isProgram ? ["no program any more"] : [])];
    if (parts.length === 0) continue;
    planned.push({ change: { path, bytes: tidy, resetsMode: isProgram }, what: parts.join(", ") });
  }
  return planned;
}

function tidyScope(text: string, scope: Parameters<typeof printScopeFile>[0]): string {
  return printScopeFile(scope, parseScopeFile(Buffer.from(text), scope));
}

/** What `work` gives; undefined where a file cannot be read or understood, which the checks report. */
async function orSkip<T>(work: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isSealtreeError(error) && !hasCode(error, "E_IO")) return undefined;
    throw error;
  }
}
