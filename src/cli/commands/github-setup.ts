import { exitCodes } from "../../errors.ts";
import type { PlannedWorkflow } from "../../github/plan-setup.ts";
import { writeFiles } from "../../store/write.ts";
import type { CommandModule } from "../command.ts";
import { checkOptions, choiceOptions, refuseCheckOptions } from "../github-choices.ts";
import { planGithubSetup } from "../plan-github-setup.ts";
import { reportSetup } from "../report-github-setup.ts";

export const githubSetup: CommandModule = {
  arguments: "",
  kind: "write",
  description:
    "Writes the workflows of GitHub Actions for this repository, in one commit: check and review of pull requests, their comment, nightly rotation, its heartbeat, and with --environment deploying and a weekly look for drift. Each is pinned by commit and has least permission. What was chosen once stands in the files, so that the command alone renews them. A file that is not ours, or was changed by hand, is left as it is, and the exit status is then 7. With --check it writes nothing: it compares rulesets, code owners, environments, the permissions of Actions and the workflows at GitHub with what is needed, and exits with 1 when something needed is missing or cannot be seen.",
  options: [
    ...choiceOptions,
    { flags: "--force", description: "write over what is not ours or was changed by hand" },
    ...checkOptions,
  ],
  examples: [
    {
      command: "sealtree github-setup --action acme/sealtree@3f1c0de4b5a69788796a5b4c3d2e1f0011223344",
      description: "the first time; the commit of a release",
    },
    {
      command: "sealtree github-setup --environment production=vault,gh-prod --environment staging=gh-staging",
      description: "deploy from two environments, each with an identity of its own",
    },
    { command: "sealtree github-setup --pull-request --app", description: "rotations come as pull requests" },
    {
      command: "GH_TOKEN=$(gh auth token) sealtree github-setup --check",
      description: "whether the repository's settings are as they must be",
    },
  ],
  json: '{"files": [{"file", "state": "same"|"missing"|"outdated"|"unwanted"|"foreign"|"changed", "outcome": "kept"|"written"|"removed"|"left"}], "secrets": [{"environment", "names": [text]}], "variables": [{"environment", "names": [text]}], "remarks": [text], "commit": id|null, "dry_run": boolean}, with --check {"repository", "findings": [{"rule", "area", "state": "ok"|"missing"|"unknown", "severity": "error"|"warning"|"notice", "message", "hint"|null}], "errors", "warnings", "notices"}',
  async run(context, _args, options) {
    context.about({ operation: "github-setup" });
    if (options["check"] === true) {
      const { checkGithubSettings } = await import("../check-github-settings.ts");
      return await checkGithubSettings(context, options);
    }
    refuseCheckOptions(options);
    const isForced = options["force"] === true;
    const { dryRun, commit, note } = context.options;
    const outcome = await writeFiles(context.place(), { dryRun, commit }, async (tree) => {
      const plan = await planGithubSetup(context, options, tree);
      const { files } = plan;
      const changes = files.filter((file) => isWritten(file, isForced));
      return {
        changes: changes.map(({ path, text }) => ({ path, bytes: text })),
        touched: files.filter(({ state, text }) => state === "same" && text !== undefined).map(({ path }) => path),
        text: { subject: "workflows: write what sealtree runs", reason: "setup", note },
        result: plan,
      };
    });
    const { files } = outcome.result;
    reportSetup(context, { ...outcome.result, commit: outcome.commit, isWritten: (file) => isWritten(file, isForced) });
    const isLeft = files.some((file) => isOthers(file) && !isWritten(file, isForced));
    return isLeft ? exitCodes.conflict : exitCodes.ok;
  },
};

/** True for a file that somebody else answers for. */
function isOthers({ state }: PlannedWorkflow): boolean {
  return state === "foreign" || state === "changed";
}

function isWritten(file: PlannedWorkflow, isForced: boolean): boolean {
  return file.state !== "same" && (isForced || !isOthers(file));
}
