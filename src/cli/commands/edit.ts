import { constants } from "node:os";
import { parseScopePath } from "../../secret/address.ts";
import { editScope } from "../../values/edit-session.ts";
import { waitHint } from "../../values/editor.ts";
import { withPrivateFolder } from "../../values/private-folder.ts";
import type { CommandModule } from "../command.ts";
import { reportWrite } from "../report-write.ts";

const onDisk = "this system has no file system in memory; plaintext may reach the disk while you edit";

export const edit: CommandModule = {
  arguments: "<scope>",
  kind: "write",
  description:
    "Opens a scope as YAML in VISUAL, EDITOR or vi, in a file in memory that only you may read, and writes what you changed when you close it. Deleting a record removes the secret; comments above a record stay with it. After a mistake the editor opens again.",
  options: [],
  examples: [
    { command: "sealtree edit prod/api", description: "change several values at once" },
    { command: "EDITOR='code --wait' sealtree edit dev/app", description: "in an editor with a window" },
  ],
  json: '{"scope", "added": [name], "changed": [name], "unchanged": [], "removed": [name], "commit": id|null, "dry_run": boolean}',
  async run(context, [text = ""]) {
    const scope = parseScopePath(text);
    context.about({ operation: "edit", scope });
    const { env, stdin } = context.io;
    const result = await withPrivateFolder(env, process, async (folder) => {
      if (!folder.isInMemory) context.say(`sealtree: warning: ${onDisk}`);
      return await editScope(context.session, scope, folder, {
        ...context.options,
        editor: { env, signals: process, stdin: stdin.isTTY === true ? "terminal" : "other" },
        onMistake: context.isInteractive ? "reopen" : "fail",
      });
    });
    if (result.kind === "interrupted") {
      context.say(`interrupted by ${result.signal}, nothing was changed`);
      return 128 + constants.signals[result.signal];
    }
    const hint = result.kind === "unchanged" ? waitHint(env) : undefined;
    if (hint !== undefined) context.say(`sealtree: hint: ${hint}`);
    if (result.kind === "unchanged" && !context.options.json) {
      context.say("no changes");
      return 0;
    }
    const none = { scope, added: [], changed: [], unchanged: [], removed: [], missing: [], drops: [] };
    const outcome = result.kind === "written" ? result.outcome : { result: [none], commit: undefined };
    await reportWrite(context, outcome, { operation: "edit", kind: "written" });
    return 0;
  },
};
