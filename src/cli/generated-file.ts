import type { Tree } from "../store/tree.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { writeFiles } from "../store/write.ts";
import { exitCodes } from "../errors.ts";
import type { Context } from "./context.ts";

/** A file that is made from the policy. */
export interface GeneratedFile {
  readonly path: string;
  /** The command that writes it, such as `codeowners`. */
  readonly command: string;
  /** The file as it should be and as it is, undefined where there is none. */
  plan(tree: Tree): Promise<{ readonly text: string; readonly before: string | undefined }>;
}

/** Writes the file in a commit of its own, or with `isCheck` only compares; gives the exit status. */
export async function writeGeneratedFile(context: Context, file: GeneratedFile, isCheck: boolean): Promise<number> {
  const { path, command } = file;
  const { dryRun, commit, note, json } = context.options;
  if (isCheck) {
    const { text, before } = await file.plan(openWorkTree(context.place().root));
    const agrees = text === before;
    if (json) context.json({ file: path, agrees });
    else if (agrees) context.say(`${path} agrees with the policy`);
    else {
      context.say(`${path} ${before === undefined ? "is not there" : "differs from the policy"}`);
      context.say(`sealtree ${command} writes it`);
    }
    return agrees ? exitCodes.ok : exitCodes.found;
  }
  const outcome = await writeFiles(context.place(), { dryRun, commit }, async (tree) => {
    const { text, before } = await file.plan(tree);
    const changed = text !== before;
    return {
      changes: changed ? [{ path, bytes: text }] : [],
      touched: changed ? [] : [path],
      text: { subject: `policies: write ${path}`, reason: "policy", note },
      result: { changed },
    };
  });
  const { changed } = outcome.result;
  if (json) {
    context.json({ file: path, changed, commit: outcome.commit ?? null, dry_run: dryRun });
    return exitCodes.ok;
  }
  context.say(!changed ? `${path} agrees with the policy already` : dryRun ? `would write ${path}` : `wrote ${path}`);
  if (outcome.commit !== undefined) context.say(`committed ${outcome.commit.slice(0, 9)}`);
  return exitCodes.ok;
}
