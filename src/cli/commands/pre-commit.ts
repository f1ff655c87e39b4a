import { exitCodes } from "../../errors.ts";
import { findPlace } from "../../git/place.ts";
import { findStagedProblems } from "../../review/staged-findings.ts";
import type { CommandModule } from "../command.ts";

export const preCommit: CommandModule = {
  arguments: "",
  kind: "plain",
  description:
    "Git runs this before a commit where sealtree git-setup --hooks has been run. Looks at what is staged, and refuses private keys, plaintext and malformed files below secrets/, conflict markers in files of sealtree, and files that look like a decrypted scope. SEALTREE_ALLOW_VIEW=1 lets the last through. Says the file and the line, and never what stands there.",
  options: [],
  examples: [
    { command: "sealtree pre-commit", description: "in a hook, or by hand before a commit" },
    { command: "sealtree pre-commit --json", description: "for a hook of your own" },
  ],
  json: '{"findings": [{"rule", "severity": "error"|"notice", "message", "file", "line"?, "hint"?}]}',
  async run(context) {
    context.about({ operation: "pre-commit" });
    const { env } = context.io;
    // The hook is this repository's, whatever the variable says.
    const place = findPlace(context.directory, { ...env, SEALTREE_REPO: undefined });
    const findings = await findStagedProblems(place, {
      index: env["GIT_INDEX_FILE"],
      refusesViews: (env["SEALTREE_ALLOW_VIEW"] ?? "") === "",
    });
    const isRefused = findings.some(({ severity }) => severity === "error");
    if (context.options.json) context.json({ findings });
    else {
      for (const { file, line, message, severity, hint } of findings) {
        const where = line === undefined ? file : `${file}:${line}`;
        const said = message.startsWith(`${file}:`) ? message : `${where}: ${message}`;
        context.say(`sealtree: ${severity === "error" ? "refused" : "notice"}: ${said}`);
        if (hint !== undefined) context.say(`sealtree: hint: ${hint}`);
      }
      if (isRefused) context.say("sealtree: nothing was committed; to commit all the same: git commit --no-verify");
    }
    return isRefused ? exitCodes.found : exitCodes.ok;
  },
};
