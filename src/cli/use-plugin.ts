import { findIdentityPlugin, pluginOf } from "../crypto/plugin-identity.ts";
import { parseIdentities } from "../crypto/identity.ts";
import { SealtreeError } from "../errors.ts";
import { adoptIdentityFile } from "../identity/create.ts";
import { findPluginProgram } from "../identity/plugin-program.ts";
import type { Context } from "./context.ts";
import { readInputFile, readStdin } from "./value-input.ts";

const maxTextBytes = 64 * 1024;
/** How well-known plugins make a key; there is no standard for it. */
const knownCommands: Readonly<Record<string, string>> = {
  yubikey: "age-plugin-yubikey --generate",
  tpm: "age-plugin-tpm --generate",
  se: "age-plugin-se keygen",
  "fido2-hmac": "age-plugin-fido2-hmac -g",
};

/**
 * Writes the identity that a plugin printed, from a file or stdin (`-`), to the new file `output`;
 * without `from` it says how to make one. Throws E_PLUGIN_FAILED when the plugin is not there,
 * E_IDENTITY_INVALID when the text holds anything but identities of it, and E_EXISTS.
 */
export async function usePlugin(context: Context, name: string, from: unknown, output: string): Promise<void> {
  if (!/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(name)) {
    throw new SealtreeError("E_USAGE", "that is no name of a plugin", {
      hints: ["for the program age-plugin-yubikey it is yubikey: a-z, 0-9 and -"],
    });
  }
  const program = findPluginProgram(name, context.io.env, findRoot(context));
  if (typeof from !== "string") {
    sayHow(context, name, program);
    return;
  }
  const bytes = from === "-" ? await readStdin(context, maxTextBytes) : readInputFile(context, from, maxTextBytes);
  const text = bytes.toString("utf8");
  const recipients = await readRecipients(context, name, text);
  adoptIdentityFile(output, text.endsWith("\n") ? text : `${text}\n`);
  const [recipient] = recipients;
  if (context.options.json) {
    context.json({ file: output, recipient: recipient?.text ?? null, kind: "plugin", store: "plugin" });
    return;
  }
  context.say(`identity of age-plugin-${name} written to ${output}; the key itself stays where the plugin keeps it`);
  if (recipient === undefined) context.say("its text does not tell the public half; the plugin does");
  for (const { text: line } of recipients) context.line(line);
}

function sayHow(context: Context, name: string, program: string): void {
  const next = knownCommands[name] ?? `age-plugin-${name} --help`;
  if (context.options.json) {
    context.json({ plugin: name, program, next });
    return;
  }
  context.say(`the plugin is ${program}; it makes its keys itself:`);
  context.line(next);
  context.say(`then: sealtree keygen --plugin ${name} --identity-from FILE, with the file that has AGE-PLUGIN-...`);
}

async function readRecipients(context: Context, name: string, text: string) {
  const lines = text.split(/\r?\n/);
  const stranger = lines.findIndex((line) => line !== "" && !line.startsWith("#") && findIdentityPlugin(line) !== name);
  if (stranger >= 0) {
    throw new SealtreeError("E_IDENTITY_INVALID", `line ${stranger + 1} is no identity of age-plugin-${name}`, {
      hints: ["it takes the identity as the plugin printed it: comments, and lines that start with AGE-PLUGIN-"],
      line: stranger + 1,
    });
  }
  const identities = parseIdentities(text, () => context.session.plugins());
  const own = identities.filter((identity) => pluginOf(identity) === name);
  return (await Promise.all(own.map(async (identity) => await identity.recipients()))).flat();
}

/** A plugin in the work tree is not trusted; outside of a repository there is none. */
function findRoot(context: Context): string | undefined {
  try {
    return context.place().root;
  } catch {
    return undefined;
  }
}
