import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { notOurs, showFile } from "../../history/show-scope.ts";
import type { CommandModule } from "../command.ts";

/** Larger than any file of ours. */
const maxBytes = 4 * 1024 * 1024;

export const diffDriver: CommandModule = {
  arguments: "<file>",
  kind: "plain",
  description:
    "Git runs this to show a scope file or a generation file in git diff, git log -p and git show; sealtree git-setup tells it to. Prints names, value ids, dates, generations and readers, never sealed text or a value. Needs no key, no configuration and no repository; of a file that is not ours it prints no more than that.",
  options: [],
  examples: [
    { command: "sealtree diff-driver secrets/prod/api.yaml", description: "what git diff compares" },
    { command: "git diff --no-textconv -- secrets", description: "the sealed text itself" },
  ],
  json: '{"text"}',
  run(context, [file = ""]) {
    context.about({ operation: "diff" });
    const bytes = readRegular(resolve(context.directory, file));
    const text = bytes === undefined ? notOurs("a file of sealtree") : showFile(bytes);
    if (context.options.json) context.json({ text });
    else context.io.stdout.write(text);
    return Promise.resolve();
  },
};

/** Undefined for what is no regular file, is larger than ours may be, or cannot be read. */
function readRegular(path: string): Uint8Array | undefined {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    try {
      const status = fstatSync(descriptor);
      return status.isFile() && status.size <= maxBytes ? readFileSync(descriptor) : undefined;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}
