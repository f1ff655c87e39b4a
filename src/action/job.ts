import type { Io } from "../cli/io.ts";
import type { Environment, GitPlace } from "../git/place.ts";
import type { TokenRequest } from "../services/token-request.ts";
import type { JobEvent } from "./event.ts";
import type { ActionInputs } from "./inputs.ts";
import { listMasks } from "./masks.ts";
import type { Runner } from "./runner.ts";

/** The name under which files for the post step are kept, as a JSON list of absolute paths. */
export const filesState = "files";

/** One run of the Action, as its commands see it. */
export interface Job {
  readonly inputs: ActionInputs;
  readonly event: JobEvent;
  readonly runner: Runner;
  readonly io: Io;
  /** Absolute; where commands run. */
  readonly directory: string;
  readonly place: GitPlace;
  /** Absolute; what annotations are relative to. */
  readonly workspace: string;
  /** Absolute; the runner's folder for temporary files. */
  readonly temporary: string;
  /** Environment of the commands: {@link commandEnvironment}, and PATH without what is inside the tree. */
  readonly env: Environment;
  /** What the commands may ask for identity tokens with: {@link commandTokens}. */
  readonly tokenRequest?: TokenRequest | undefined;
  /** Remembers a file with plaintext, for the post step to remove. */
  keepForPost(file: string): void;
}

/** What only this step is to have: its inputs, the runner's own tokens and the files that steer the runner. */
const own = /^(?:INPUT_|STATE_|ACTIONS_|GITHUB_(?:ENV|OUTPUT|STATE|PATH|STEP_SUMMARY|EVENT_PATH|ACTION_PATH)$)/i;
/** Keys that this step uses itself, and hands to no command. */
const ownKey = /^SEALTREE_(?:SIGNING_KEY|APP_PRIVATE_KEY)$/i;
const keyless: readonly ActionInputs["command"][] = ["check", "review", "comment", "heartbeat"];
const identity = /^(?:SEALTREE_IDENTITY|SOPS_AGE_)/i;
const token = /^(?:GITHUB|GH)_TOKEN$|_PAT$/i;

/**
 * The environment of the commands: the job's without what only this step is to have. What needs
 * neither identity nor token gets neither: `check`, `review`, `comment` and `heartbeat` no identity,
 * and those and `export` no token.
 */
export function commandEnvironment(env: Environment, command: ActionInputs["command"]): Environment {
  const isKeyless = keyless.includes(command);
  const isLocal = isKeyless || command === "export";
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) =>
        !own.test(name) && !ownKey.test(name) && !(isKeyless && identity.test(name)) && !(isLocal && token.test(name)),
    ),
  );
}

/** Only what signs in at services can be the job there; the runner hides each token before it is used. */
export function commandTokens(
  { tokenRequest }: Io,
  command: ActionInputs["command"],
  runner: Runner,
): TokenRequest | undefined {
  if (tokenRequest === undefined || (command !== "rotate" && command !== "deploy")) return undefined;
  return { ...tokenRequest, announce: (it) => runner.mask(listMasks(it)) };
}
