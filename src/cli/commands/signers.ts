import { loadPolicy } from "../../access/policy.ts";
import { printSigners, readSigners, signersPath } from "../../access/signers.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import type { CommandModule } from "../command.ts";
import { writeGeneratedFile } from "../generated-file.ts";

export const signers: CommandModule = {
  arguments: "",
  kind: "write",
  description:
    "Writes the signing keys of all members to policies/allowed_signers, for git log --show-signature and git verify-commit. Tell git once: git config gpg.ssh.allowedSignersFile policies/allowed_signers. A file in the tree proves nothing to who can change the tree. --check compares and changes nothing: it exits with 1 when the file differs.",
  options: [
    { flags: "--check", description: "compare only, for CI" },
    { flags: "--print", description: "print it instead, to keep it out of the tree" },
  ],
  examples: [
    { command: "sealtree signers", description: "after a member or a key changed" },
    {
      command: "sealtree signers --print > ~/.config/git/allowed_signers",
      description: "a copy that no pull request can change",
    },
  ],
  json: '{"file", "changed": boolean, "commit": id|null, "dry_run": boolean}, with --check {"file", "agrees": boolean}, with --print {"allowed_signers": text}',
  async run(context, _args, options) {
    context.about({ operation: "signers" });
    if (options["print"] === true) {
      const text = printSigners(await loadPolicy(openWorkTree(context.place().root)));
      if (context.options.json) context.json({ allowed_signers: text });
      else context.line(text.trimEnd());
      return 0;
    }
    return await writeGeneratedFile(
      context,
      {
        path: signersPath,
        command: "signers",
        plan: async (tree) => ({ text: printSigners(await loadPolicy(tree)), before: await readSigners(tree) }),
      },
      options["check"] === true,
    );
  },
};
