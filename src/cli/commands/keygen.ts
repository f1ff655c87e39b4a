import { resolve } from "node:path";
import type { GeneratedKind, Recipient } from "../../crypto/recipient.ts";
import { SealtreeError } from "../../errors.ts";
import { createEncryptedIdentityFile, createIdentityFile, createKeychainIdentity } from "../../identity/create.ts";
import { defaultIdentityFile } from "../../identity/locations.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";

type Options = Readonly<Record<string, unknown>>;
/** Where the private key is to be: one of these options, or a plain file without any. */
const ways = ["keychain", "passphrase", "ssh", "plugin"] as const;
type Way = (typeof ways)[number] | "file";

export const keygen: CommandModule = {
  arguments: "[ssh-key]",
  kind: "plain",
  description:
    "Makes a private key and prints its public half: in a file that only you can read, behind a passphrase, or in the keychain of your system. Post-quantum (hybrid) unless --x25519. Without -o the file goes where sealtree looks by itself; it never replaces one. With --ssh or --plugin it makes nothing: it takes a key that you have.",
  options: [
    { flags: "-o, --output <file>", description: "where to write it" },
    {
      flags: "--x25519",
      description: "a classical key, short enough to read out; git history is not safe from future quantum computers",
    },
    { flags: "--passphrase", description: "encrypt the file with a passphrase, as age -p does" },
    { flags: "--keychain", description: "keep the key in the system's keychain; the file only refers to it" },
    { flags: "--ssh", description: "use an SSH key that you have; ~/.ssh/id_ed25519 or ~/.ssh/id_rsa unless named" },
    { flags: "--plugin <name>", description: "use a key of an age plugin, such as yubikey; says how to make one" },
    { flags: "--identity-from <file>", description: "with --plugin: the file the plugin wrote, or - for stdin" },
  ],
  examples: [
    { command: "sealtree keygen", description: "your own key, in your config folder" },
    { command: "sealtree keygen -o ci-prod.key", description: "a key for a machine" },
    { command: "sealtree keygen --keychain", description: "your own key, in the keychain" },
    { command: "sealtree keygen --ssh", description: "the public half of your SSH key, and whether sealtree finds it" },
    {
      command: "sealtree keygen --plugin yubikey --identity-from yubikey.txt",
      description: "your own key, on a hardware token",
    },
  ],
  json: '{"file", "recipient"|null, "kind": "hybrid"|"x25519"|"ssh-ed25519"|"ssh-rsa"|"plugin", "store": "file"|"passphrase"|"keychain"|"ssh"|"plugin"}; with --plugin alone {"plugin", "program", "next"}',
  async run(context, args, options) {
    const way = findWay(args, options);
    if (way === "ssh") {
      const { useSshKey } = await import("../use-ssh-key.ts");
      return await useSshKey(context, args[0]);
    }
    const output = options["output"];
    const file = typeof output === "string" ? resolve(context.directory, output) : defaultIdentityFile(context.io.env);
    if (way === "plugin") {
      const { usePlugin } = await import("../use-plugin.ts");
      return await usePlugin(context, String(options["plugin"]), options["identityFrom"], file);
    }
    const recipient = await createIdentity(context, way, file, options["x25519"] === true ? "x25519" : "hybrid");
    if (context.options.json) {
      context.json({ file, recipient: recipient.text, kind: recipient.kind, store: way });
      return;
    }
    context.say(words[way](file));
    context.line(recipient.text);
  },
};

const words = {
  file: (file: string) => `identity written to ${file}; keep it safe and out of git`,
  passphrase: (file: string) =>
    `identity written to ${file}, behind your passphrase; without file and passphrase what it opens is gone`,
  keychain: (file: string) =>
    `identity put into your keychain; ${file} refers to it and is no secret. There is no other copy: have a recovery key`,
} as const;

async function createIdentity(
  context: Context,
  way: "file" | "passphrase" | "keychain",
  file: string,
  kind: GeneratedKind,
): Promise<Recipient> {
  const now = context.io.now();
  if (way === "file") return await createIdentityFile(file, kind, now);
  if (way === "keychain") return await createKeychainIdentity(file, kind, now);
  const { askNewPassphrase, passphraseSource } = await import("../ask-passphrase.ts");
  const source = passphraseSource(context.io, context.options);
  return await createEncryptedIdentityFile(file, kind, now, async () => await askNewPassphrase(source, file));
}

function findWay(args: readonly string[], options: Options): Way {
  const [way = "file", second] = ways.filter((name) => options[name] !== undefined && options[name] !== false);
  const isTaken = way === "ssh" || way === "plugin";
  const mistake =
    second !== undefined
      ? "a key can be in one place only"
      : args.length > 0 && way !== "ssh"
        ? "only --ssh takes the name of a key"
        : options["identityFrom"] !== undefined && way !== "plugin"
          ? "--identity-from goes with --plugin"
          : isTaken && options["x25519"] === true
            ? "--x25519 is for a key that is made here"
            : way === "ssh" && options["output"] !== undefined
              ? "--ssh writes no file"
              : undefined;
  if (mistake === undefined) return way;
  throw new SealtreeError("E_USAGE", mistake, {
    hints: ["give one of --passphrase, --keychain, --ssh, --plugin NAME, or none", "sealtree keygen --help shows how"],
  });
}
