import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Session } from "../access/session.ts";
import { errnoOf, hasCode, SealtreeError } from "../errors.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { readScope } from "../store/keyring.ts";
import { openWorkTree } from "../store/work-tree.ts";
import type { WriteOutcome } from "../store/write.ts";
import type { ChangeSummary } from "./change-scope.ts";
import { headingPrefix, parseEditBuffer, printEditBuffer } from "./edit-buffer.ts";
import { findEdits, type EditBase } from "./edit-changes.ts";
import { openEditor, type EditorOptions } from "./editor.ts";
import { withLine } from "./input-line.ts";
import { openEntries } from "./open-scope.ts";
import type { PrivateFolder } from "./private-folder.ts";
import { writeValues, type ValueWriteOptions } from "./write-values.ts";

export interface EditOptions extends Omit<ValueWriteOptions, "verb" | "reason"> {
  readonly editor: EditorOptions;
  /** What follows a mistake: the editor again, with the text as it was left, or the failure. */
  readonly onMistake: "reopen" | "fail";
}

export type EditOutcome =
  | { readonly kind: "written"; readonly outcome: WriteOutcome<readonly ChangeSummary[]> }
  | { readonly kind: "unchanged" }
  | { readonly kind: "interrupted"; readonly signal: NodeJS.Signals };

const errorPrefix = `${headingPrefix} error:`;

/**
 * Lets the user edit a scope as YAML in `folder`, and writes what was changed in one commit.
 * Of what others changed meanwhile only the secrets the user touched too are E_RACED; the rest
 * stays theirs. A scope that is not there starts empty. With `reopen` the editor comes back
 * with the mistake as its first line until the text is right, or is left as it was: then the
 * mistake is thrown. Throws E_EDITOR_FAILED, E_INPUT_INVALID, E_RACED and what writing throws;
 * nothing was written then. Removing the folder is up to the caller.
 */
export async function editScope(
  session: Session,
  scope: ScopePath,
  folder: PrivateFolder,
  options: EditOptions,
): Promise<EditOutcome> {
  const base = await openBase(session, scope);
  const comments = new Map([...base.entries].map(([name, entry]) => [name, entry.comments]));
  const expected = new Map<SecretName, string | undefined>(
    [...base.entries].map(([name, { record }]) => [name, record]),
  );
  const file = join(folder.path, `${scope.replaceAll("/", "-")}.yaml`);
  let text = printEditBuffer(scope, base.values, comments);
  let raced: SealtreeError | undefined;
  for (;;) {
    writeText(file, text);
    const exit = await openEditor(file, options.editor);
    if (exit.kind === "interrupted") return exit;
    const edited = readEdited(file);
    try {
      if (raced !== undefined && edited.startsWith(errorPrefix)) throw raced;
      raced = undefined;
      const changes = findEdits(base, parseEditBuffer(edited));
      if (changes.size === 0 && base.entries.size === 0) return { kind: "unchanged" };
      const write = { ...options, verb: "edit", reason: "manual" as const };
      // Also without changes: an edit that was cut off may have left some that are not committed.
      const outcome = await writeValues(session, write, () => Promise.resolve([{ scope, changes, expected }]));
      return changes.size > 0 || outcome.commit !== undefined ? { kind: "written", outcome } : { kind: "unchanged" };
    } catch (error) {
      const isMistake = hasCode(error, "E_INPUT_INVALID", "E_NAME_INVALID", "E_VALUE_TOO_LARGE", "E_RACED");
      if (!isMistake || options.onMistake === "fail" || edited === text) throw withLine(error, "the text");
      if (error.code === "E_RACED") {
        raced = error;
        await acceptPresent(session, scope, expected);
      }
      text = withError(edited, error);
    }
  }
}

async function openBase(session: Session, scope: ScopePath): Promise<EditBase> {
  const tree = openWorkTree(session.place.root);
  const entries = (await readScope(tree, scope)) ?? new Map<never, never>();
  return { entries, values: await openEntries(tree, scope, entries, await session.identities()).openAll() };
}

/** The next save is made in the knowledge of what is there now. */
async function acceptPresent(
  session: Session,
  scope: ScopePath,
  expected: Map<SecretName, string | undefined>,
): Promise<void> {
  const present = await readScope(openWorkTree(session.place.root), scope);
  for (const name of expected.keys()) if (present?.has(name) !== true) expected.delete(name);
  for (const [name, { record }] of present ?? []) expected.set(name, record);
}

function writeText(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600 });
  } catch (error) {
    throw new SealtreeError(
      "E_IO",
      `the text for the editor cannot be written (${errnoOf(error) ?? "unknown error"})`,
      {
        cause: error,
      },
    );
  }
}

function readEdited(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new SealtreeError("E_EDITOR_FAILED", "the editor took the file away, so nothing was changed", {
      cause: error,
    });
  }
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new SealtreeError("E_INPUT_INVALID", "the text is not UTF-8");
  return text;
}

/** The text below one heading that says what is wrong, in place of the one before it. */
function withError(edited: string, error: SealtreeError): string {
  const lines = edited.split("\n");
  const old = lines.filter((line) => line.startsWith(errorPrefix)).length;
  const kept = lines.filter((line) => !line.startsWith(errorPrefix)).join("\n");
  const where = error.line === undefined ? "" : `line ${error.line - old + 1}: `;
  const way = error.code === "E_RACED" ? "; take this line out and save to write over it" : "";
  return `${errorPrefix} ${where}${error.message}${way}\n${kept}`;
}
