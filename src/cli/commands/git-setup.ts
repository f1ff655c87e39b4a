import { exitCodes, SealtreeError } from "../../errors.ts";
import { hasGit } from "../../git/place.ts";
import { installCommitHook, readCommitHook, type CommitHook } from "../../history/commit-hook.ts";
import { installDrivers, planAttributes, readGitSetup, type GitSetup } from "../../history/git-setup.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import { writeFiles } from "../../store/write.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";

export const gitSetup: CommandModule = {
  arguments: "",
  kind: "write",
  description:
    "Tells this clone's git how to merge scope files and how to show them, which a clone does not bring along, and adds the lines to .gitattributes when they are missing. Run it once in every clone; sealtree init does it too.",
  options: [
    { flags: "--hooks", description: "install a pre-commit hook too, which looks at what is staged" },
    { flags: "--check", description: "change nothing; exit 1 when this clone is not set up" },
  ],
  examples: [
    { command: "sealtree git-setup", description: "in a new clone" },
    { command: "sealtree git-setup --hooks", description: "with a hook that refuses plaintext and private keys" },
    { command: "sealtree git-setup --check", description: "in a script" },
  ],
  json: '{"driver", "diff_driver": "installed"|"outdated"|"missing", "hook": "installed"|"outdated"|"missing"|"other", "attributes": boolean, "changed": boolean, "commit": id|null}',
  async run(context, _args, options) {
    context.about({ operation: "git-setup" });
    const place = context.place();
    if (!hasGit(place)) {
      throw new SealtreeError("E_NO_REPOSITORY", "this is not a git repository", {
        hints: ["git init, then sealtree init"],
      });
    }
    const wantsHook = options["hooks"] === true;
    if (options["check"] === true || context.options.dryRun)
      return await check(context, { isStrict: options["check"] === true, wantsHook });
    const setHook = wantsHook && (await installCommitHook(place, context.io.self));
    const wasInstalled = !(await installDrivers(place, context.io.self));
    const attributes = await planAttributes(openWorkTree(place.root));
    const commit = attributes === undefined ? undefined : await writeAttributes(context);
    const setup = await readGitSetup(place, context.io.self);
    const hook = await readCommitHook(place, context.io.self);
    const isSet = !wasInstalled || attributes !== undefined;
    const changed = isSet || setHook;
    if (context.options.json) {
      context.json({ ...setupJson(setup, hook), changed, commit: commit ?? null });
    } else {
      if (isSet || !changed)
        context.say(changed ? "git merges scope files by secret now" : "this clone is set up already");
      if (setHook) context.say(`git looks at what is staged before each commit now: ${hook.path}`);
      if (!setup.hasAttributes)
        context.say(
          "another line of .gitattributes sends scope files elsewhere: git check-attr merge diff -- secrets/dev/app.yaml",
        );
      if (commit !== undefined) context.say(`committed ${commit.slice(0, 9)}`);
    }
    return setup.hasAttributes ? exitCodes.ok : exitCodes.found;
  },
};

async function check(
  context: Context,
  { isStrict, wantsHook }: { readonly isStrict: boolean; readonly wantsHook: boolean },
): Promise<number> {
  const setup = await readGitSetup(context.place(), context.io.self);
  const hook = await readCommitHook(context.place(), context.io.self);
  const { driver, diffDriver, hasAttributes } = setup;
  const hasHook = !wantsHook || hook.state === "installed";
  const isReady = driver === "installed" && diffDriver === "installed" && hasAttributes && hasHook;
  if (context.options.json) context.json({ ...setupJson(setup, hook), changed: false, commit: null });
  else {
    const attributes = hasAttributes ? "in force" : "missing";
    context.say(
      `merge driver: ${driver}; diff driver: ${diffDriver}; .gitattributes: ${attributes}; pre-commit hook: ${hook.state}`,
    );
    if (!isReady) context.say(`sealtree git-setup${wantsHook ? " --hooks" : ""} puts it right`);
  }
  return isReady || !isStrict ? exitCodes.ok : exitCodes.found;
}

function setupJson({ driver, diffDriver, hasAttributes }: GitSetup, { state }: CommitHook) {
  return { driver, diff_driver: diffDriver, hook: state, attributes: hasAttributes };
}

async function writeAttributes(context: Context): Promise<string | undefined> {
  const { commit } = await writeFiles(context.place(), context.options, async (tree) => {
    const attributes = await planAttributes(tree);
    return {
      changes: attributes === undefined ? [] : [attributes],
      touched: [".gitattributes"],
      text: { subject: "secrets: set up git", reason: "setup", note: context.options.note },
      result: undefined,
    };
  });
  return commit;
}
