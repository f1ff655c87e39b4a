import { exitCodes, SealtreeError } from "../../errors.ts";
import { hasGit } from "../../git/place.ts";
import { installDrivers, planAttributes, readGitSetup } from "../../history/git-setup.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import { writeFiles } from "../../store/write.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";

export const gitSetup: CommandModule = {
  arguments: "",
  kind: "write",
  description:
    "Tells this clone's git how to merge scope files, which a clone does not bring along, and adds the lines to .gitattributes when they are missing. Run it once in every clone; sealtree init does it too.",
  options: [{ flags: "--check", description: "change nothing; exit 1 when this clone is not set up" }],
  examples: [
    { command: "sealtree git-setup", description: "in a new clone" },
    { command: "sealtree git-setup --check", description: "in a script" },
  ],
  json: '{"driver": "installed"|"outdated"|"missing", "attributes": boolean, "changed": boolean, "commit": id|null}',
  async run(context, _args, options) {
    context.about({ operation: "git-setup" });
    const place = context.place();
    if (!hasGit(place)) {
      throw new SealtreeError("E_NO_REPOSITORY", "this is not a git repository", {
        hints: ["git init, then sealtree init"],
      });
    }
    if (options["check"] === true || context.options.dryRun) return await check(context, options["check"] === true);
    const wasInstalled = !(await installDrivers(place, context.io.self));
    const attributes = await planAttributes(openWorkTree(place.root));
    const commit = attributes === undefined ? undefined : await writeAttributes(context);
    const setup = await readGitSetup(place, context.io.self);
    const changed = !wasInstalled || attributes !== undefined;
    if (context.options.json) {
      context.json({ driver: setup.driver, attributes: setup.hasAttributes, changed, commit: commit ?? null });
    } else {
      context.say(changed ? "git merges scope files by secret now" : "this clone is set up already");
      if (!setup.hasAttributes)
        context.say(
          "another line of .gitattributes sends scope files elsewhere: git check-attr merge -- secrets/dev/app.yaml",
        );
      if (commit !== undefined) context.say(`committed ${commit.slice(0, 9)}`);
    }
    return setup.hasAttributes ? exitCodes.ok : exitCodes.found;
  },
};

async function check(context: Context, isStrict: boolean): Promise<number> {
  const { driver, hasAttributes } = await readGitSetup(context.place(), context.io.self);
  const isReady = driver === "installed" && hasAttributes;
  if (context.options.json) context.json({ driver, attributes: hasAttributes, changed: false, commit: null });
  else {
    context.say(`merge driver: ${driver}; .gitattributes: ${hasAttributes ? "in force" : "missing"}`);
    if (!isReady) context.say("sealtree git-setup puts it right");
  }
  return isReady || !isStrict ? exitCodes.ok : exitCodes.found;
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
