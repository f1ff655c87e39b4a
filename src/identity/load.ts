import { readFileSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import type { Identity } from "../crypto/identity.ts";
import type { AskPassphrase } from "../crypto/passphrase.ts";
import type { LoadPlugins } from "../crypto/plugin-host.ts";
import { errnoOf, SealtreeError } from "../errors.ts";
import type { Environment } from "../git/place.ts";
import { defaultIdentityFile, sshIdentityFiles } from "./locations.ts";
import { maxIdentityFileBytes, readIdentities, type SourceKind } from "./read-identities.ts";

/** One place that was looked at, and what was there. Its texts hold nothing of a key. */
export interface IdentitySource {
  /** `SEALTREE_IDENTITY`, or the path of a file. */
  readonly place: string;
  /** Such as `not set`, `2 identities`, `an SSH key`, `line 3 is not an identity`. */
  readonly outcome: string;
  readonly isBroken: boolean;
  /** What it holds; undefined when it gave no identity. */
  readonly kind: SourceKind | undefined;
  readonly identities: readonly Identity[];
  /** The file that was read; undefined for anything else. */
  readonly file: string | undefined;
}

export interface LoadedIdentities {
  /** Those that ask somebody for something come last. */
  readonly identities: readonly Identity[];
  readonly sources: readonly IdentitySource[];
}

/** What loading needs of the world. */
export interface IdentityOptions {
  readonly env: Environment;
  /** Asks for the passphrase of a key when it is needed, not before. Without it nobody can be asked. */
  readonly askPassphrase?: AskPassphrase;
  /** For identities of plugins; they are refused without it. */
  readonly plugins?: LoadPlugins;
}

type Place = Pick<IdentitySource, "place" | "file">;

/** Who asks for more comes later: nothing; perhaps a passphrase or a keychain to be unlocked; a passphrase at once. */
const efforts = { age: 0, ssh: 1, keychain: 1, passphrase: 2 } as const satisfies Record<SourceKind, number>;

/**
 * All private keys this user has: from SEALTREE_IDENTITY (the key text), SEALTREE_IDENTITY_FILE
 * (paths, joined as in PATH), SEALTREE_IDENTITY_CMD (a shell command that prints them, run
 * once) and the user's config folder; when these have none, from the SSH keys in ~/.ssh,
 * unless SEALTREE_SSH_KEY is `off`. docs/identities.md says what each may hold. A broken source
 * is reported and hides no good one. Asks nobody for anything: an identity does when it is used.
 * Throws E_NO_IDENTITY, which lists where it looked, when there is none at all.
 */
export async function loadIdentities(options: IdentityOptions): Promise<LoadedIdentities> {
  const loaded = await findIdentities(options);
  if (loaded.identities.length > 0) return loaded;
  throw new SealtreeError("E_NO_IDENTITY", "no identity found", {
    hints: [...describeSources(loaded.sources), ...(options.env["GITHUB_ACTIONS"] === "true" ? inJob : [atHome])],
  });
}

const atHome = "make one: sealtree keygen, or name one in SEALTREE_IDENTITY_FILE";
/** A secret that GitHub does not have, or not for this job, is the empty text. */
const inJob: readonly string[] = [
  "store it, for an environment of GitHub: gh secret set SEALTREE_IDENTITY --env NAME < FILE",
  "the job has the environment's secrets only when it names it: environment: NAME",
  'the step: env: { SEALTREE_IDENTITY: "${{ secrets.SEALTREE_IDENTITY }}" }',
];

/** {@link loadIdentities} that gives an empty list instead of throwing. */
export async function findIdentities(options: IdentityOptions): Promise<LoadedIdentities> {
  const { env } = options;
  const seen = new Set<string>();
  const attempts = [await fromText(options), ...(await fromFiles(options, seen)), await fromCommand(options)];
  const own = defaultIdentityFile(env);
  if (!seen.has(resolve(own))) attempts.push(await fromFile(options, own, "the config folder"));
  if (attempts.every(({ identities }) => identities.length === 0)) attempts.push(...(await fromSsh(options, seen)));
  return {
    identities: attempts.toSorted((a, b) => effortOf(a) - effortOf(b)).flatMap(({ identities }) => identities),
    sources: attempts,
  };
}

function effortOf({ kind }: IdentitySource): number {
  return kind === undefined ? 0 : efforts[kind];
}

/** One line a place, for hints. */
function describeSources(sources: readonly IdentitySource[]): string[] {
  return sources.map(({ place, outcome }) => `looked in ${place}: ${outcome}`);
}

async function fromText(options: IdentityOptions): Promise<IdentitySource> {
  const at = { place: "SEALTREE_IDENTITY", file: undefined };
  const text = withoutPasteMarks(options.env["SEALTREE_IDENTITY"] ?? "");
  return text === "" ? nothing(at, "not set") : await parsed(options, at, Buffer.from(text), at.place);
}

/** What pasting a key somewhere adds to it, and nobody sees: a byte order mark, and blanks at the ends of lines. */
function withoutPasteMarks(text: string): string {
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  return lines
    .map((line) => line.trimEnd())
    .join("\n")
    .trimEnd();
}

async function fromFiles(options: IdentityOptions, seen: Set<string>): Promise<IdentitySource[]> {
  const from = "SEALTREE_IDENTITY_FILE";
  const paths = options.env[from] ?? "";
  if (paths === "") return [nothing({ place: from, file: undefined }, "not set")];
  const attempts: IdentitySource[] = [];
  for (const path of paths.split(delimiter)) {
    if (seen.has(resolve(path))) continue;
    seen.add(resolve(path));
    const attempt = await fromFile(options, path, from);
    attempts.push({ ...attempt, isBroken: attempt.isBroken || attempt.outcome === missing });
  }
  return attempts;
}

/** Keys that are there for something else, so that one we cannot use is no mistake. */
async function fromSsh(options: IdentityOptions, seen: ReadonlySet<string>): Promise<IdentitySource[]> {
  if (options.env["SEALTREE_SSH_KEY"] === "off") {
    return [nothing({ place: "the SSH keys in ~/.ssh", file: undefined }, "turned off by SEALTREE_SSH_KEY")];
  }
  const attempts: IdentitySource[] = [];
  for (const path of sshIdentityFiles(options.env)) {
    if (seen.has(resolve(path))) continue;
    const attempt = await fromFile(options, path, "your SSH key");
    attempts.push({ ...attempt, isBroken: false });
  }
  return attempts;
}

const missing = "no such file";

async function fromFile(options: IdentityOptions, path: string, from: string): Promise<IdentitySource> {
  const at = { place: `${path} (${from})`, file: path };
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = errnoOf(error) ?? "";
    return code === "ENOENT" ? nothing(at, missing) : broken(at, `cannot be read (${code})`);
  }
  if (bytes.length > maxIdentityFileBytes) return broken(at, "too large to be an identity file");
  return await parsed(options, at, bytes, path);
}

async function fromCommand(options: IdentityOptions): Promise<IdentitySource> {
  const at = { place: "SEALTREE_IDENTITY_CMD", file: undefined };
  const command = options.env["SEALTREE_IDENTITY_CMD"] ?? "";
  if (command === "") return nothing(at, "not set");
  const { runSecretCommand } = await import("./secret-command.ts");
  const output = await runSecretCommand(command, options.env);
  return output === undefined
    ? broken(at, "the command failed")
    : await parsed(options, at, Buffer.from(output), "the output of SEALTREE_IDENTITY_CMD");
}

async function parsed(options: IdentityOptions, at: Place, bytes: Buffer, name: string): Promise<IdentitySource> {
  const read = await readIdentities(bytes, { askPassphrase: askNobody, ...options, name, file: at.file });
  return "problem" in read ? broken(at, read.problem) : { ...at, ...read, isBroken: false };
}

async function askNobody(of: string): Promise<string> {
  throw new SealtreeError("E_NEEDS_TERMINAL", `the passphrase of ${of} is needed, and nobody can be asked here`);
}

function nothing(at: Place, outcome: string): IdentitySource {
  return { ...at, outcome, isBroken: false, identities: [], kind: undefined };
}

function broken(at: Place, outcome: string): IdentitySource {
  return { ...nothing(at, outcome), isBroken: true };
}
