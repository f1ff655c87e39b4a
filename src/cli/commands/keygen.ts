import { resolve } from "node:path";
import { createIdentityFile } from "../../identity/create.ts";
import { defaultIdentityFile } from "../../identity/locations.ts";
import type { CommandModule } from "../command.ts";

export const keygen: CommandModule = {
  arguments: "",
  kind: "plain",
  description:
    "Writes a new private key to a file that only you can read, and prints its public half. Post-quantum (hybrid) unless --x25519. Without -o it goes where sealtree looks by itself. Never replaces a file.",
  options: [
    { flags: "-o, --output <file>", description: "where to write it" },
    {
      flags: "--x25519",
      description: "a classical key, short enough to read out; git history is not safe from future quantum computers",
    },
  ],
  examples: [
    { command: "sealtree keygen", description: "your own key, in your config folder" },
    { command: "sealtree keygen -o ci-prod.key", description: "a key for a machine" },
  ],
  json: '{"file", "recipient", "kind": "hybrid"|"x25519"}',
  async run(context, _args, options) {
    const file =
      typeof options["output"] === "string"
        ? resolve(context.directory, options["output"])
        : defaultIdentityFile(context.io.env);
    const recipient = await createIdentityFile(
      file,
      options["x25519"] === true ? "x25519" : "hybrid",
      context.io.now(),
    );
    if (context.options.json) {
      context.json({ file, recipient: recipient.text, kind: recipient.kind });
      return;
    }
    context.say(`identity written to ${file}; keep it safe and out of git`);
    context.line(recipient.text);
  },
};
