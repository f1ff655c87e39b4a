import { readFileSync } from "node:fs";
import { delimiter } from "node:path";
import { parseIdentities, type Identity } from "../crypto/identity.ts";
import { errnoOf, isSealtreeError, SealtreeError } from "../errors.ts";
import type { Environment } from "../git/place.ts";
import { defaultIdentityFile } from "./locations.ts";

/** One place that was looked at, and what was there. Neither holds anything of a key. */
export interface IdentitySource {
  /** `SEALTREE_IDENTITY`, or the path of a file. */
  readonly place: string;
  /** Such as `not set`, `2 identities`, `line 3 is not an identity`. */
  readonly outcome: string;
  readonly isBroken: boolean;
}

export interface LoadedIdentities {
  readonly identities: readonly Identity[];
  readonly sources: readonly IdentitySource[];
}

type Attempt = IdentitySource & { readonly identities: readonly Identity[] };

const maxIdentityFileBytes = 1024 * 1024;

/**
 * All private keys this user has: from SEALTREE_IDENTITY (the key text), SEALTREE_IDENTITY_FILE
 * (paths, joined as in PATH), SEALTREE_IDENTITY_CMD (a shell command that prints them, run
 * once) and the user's config folder. A broken source is reported and hides no good one.
 * Throws E_NO_IDENTITY, which lists where it looked, when there is none at all.
 */
export async function loadIdentities(env: Environment): Promise<LoadedIdentities> {
  const loaded = await findIdentities(env);
  if (loaded.identities.length > 0) return loaded;
  throw new SealtreeError("E_NO_IDENTITY", "no identity found", {
    hints: [...describeSources(loaded.sources), "make one: sealtree keygen, or name one in SEALTREE_IDENTITY_FILE"],
  });
}

/** {@link loadIdentities} that gives an empty list instead of throwing. */
export async function findIdentities(env: Environment): Promise<LoadedIdentities> {
  const attempts = [fromText(env["SEALTREE_IDENTITY"]), ...fromFiles(env["SEALTREE_IDENTITY_FILE"])];
  attempts.push(
    await fromCommand(env["SEALTREE_IDENTITY_CMD"], env),
    fromFile(defaultIdentityFile(env), "the config folder"),
  );
  return {
    identities: attempts.flatMap(({ identities }) => identities),
    sources: attempts.map(({ place, outcome, isBroken }) => ({ place, outcome, isBroken })),
  };
}

/** One line a place, for hints. */
export function describeSources(sources: readonly IdentitySource[]): string[] {
  return sources.map(({ place, outcome }) => `looked in ${place}: ${outcome}`);
}

function fromText(text: string | undefined): Attempt {
  return text === undefined || text === ""
    ? nothing("SEALTREE_IDENTITY", "not set")
    : parsed("SEALTREE_IDENTITY", text);
}

function fromFiles(paths: string | undefined): Attempt[] {
  if (paths === undefined || paths === "") return [nothing("SEALTREE_IDENTITY_FILE", "not set")];
  return paths.split(delimiter).map((path) => fromFile(path, "SEALTREE_IDENTITY_FILE", true));
}

function fromFile(path: string, from: string, isNamed = false): Attempt {
  const place = `${path} (${from})`;
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = errnoOf(error) ?? "";
    if (code === "ENOENT") return { ...nothing(place, "no such file"), isBroken: isNamed };
    return broken(place, `cannot be read (${code})`);
  }
  if (bytes.length > maxIdentityFileBytes) return broken(place, "too large to be an identity file");
  return parsed(place, bytes.toString("utf8"));
}

async function fromCommand(command: string | undefined, env: Environment): Promise<Attempt> {
  const place = "SEALTREE_IDENTITY_CMD";
  if (command === undefined || command === "") return nothing(place, "not set");
  const { SEALTREE_IDENTITY: _, ...rest } = env;
  const shell = process.platform === "win32" ? ["cmd.exe", "/d", "/s", "/c"] : ["/bin/sh", "-c"];
  const [program = "", ...flags] = shell;
  const { execFile } = await import("node:child_process");
  return await new Promise((resolve) => {
    const child = execFile(
      program,
      [...flags, command],
      { env: rest, maxBuffer: maxIdentityFileBytes },
      (error, output) => {
        resolve(error === null ? parsed(place, output) : broken(place, "the command failed"));
      },
    );
    child.stdin?.end();
  });
}

function parsed(place: string, text: string): Attempt {
  try {
    const identities = parseIdentities(text);
    const count = identities.length === 1 ? "1 identity" : `${identities.length} identities`;
    return { place, outcome: count, isBroken: false, identities };
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    return broken(place, error.message);
  }
}

function nothing(place: string, outcome: string): Attempt {
  return { place, outcome, isBroken: false, identities: [] };
}

function broken(place: string, outcome: string): Attempt {
  return { place, outcome, isBroken: true, identities: [] };
}
