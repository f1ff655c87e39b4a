import type { Context } from "./context.ts";

export interface OptionSpec {
  /** As commander writes them: `--from-file <path>`. */
  readonly flags: string;
  readonly description: string;
  /** True for one that may be given several times: its value is then the list of all. */
  readonly repeats?: boolean;
}

export interface Example {
  readonly command: string;
  readonly description: string;
}

/**
 * `read` takes --at; `write` takes --dry-run, --yes, --reason and --no-commit; `both` takes them
 * all, and writes only when an option of its own says so. All take --json and -C.
 */
export type CommandKind = "read" | "write" | "both" | "plain";

/** One command: what `--help` and the docs say of it, and what it does. */
export interface CommandModule {
  /** Positional arguments as commander writes them: `<address>`, `[scope]`, `<scopes...>`. */
  readonly arguments: string;
  readonly kind: CommandKind;
  /** What it does, in a few sentences. */
  readonly description: string;
  readonly options: readonly OptionSpec[];
  /** At least two, real. */
  readonly examples: readonly [Example, Example, ...Example[]];
  /** The shape that `--json` prints, as documentation. */
  readonly json: string;
  /** True when everything after `--` is another command's line; `args` then ends with `--` and that line. */
  readonly passesThrough?: boolean;
  /** Does the work; gives the exit status, 0 when it gives none. */
  run(context: Context, args: readonly string[], options: Readonly<Record<string, unknown>>): Promise<number | void>;
}

/** Options that every command understands. */
export interface CommonOptions {
  readonly json: boolean;
  readonly directory: string | undefined;
  readonly nonInteractive: boolean;
  readonly at: string | undefined;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly note: string | undefined;
  readonly commit: boolean;
}

export const commonOptions = {
  all: [
    { flags: "--json", description: "print the result as JSON on stdout, errors as JSON on stderr" },
    { flags: "-C <dir>", description: "run as if started in <dir>" },
    { flags: "--non-interactive", description: "never prompt: fail instead" },
  ],
  read: [{ flags: "--at <rev>", description: "read as of a commit, tag or branch instead of the work tree" }],
  write: [
    { flags: "--dry-run", description: "say what would change and change nothing" },
    { flags: "-y, --yes", description: "do not ask" },
    { flags: "--reason <text>", description: "why, kept in the commit message" },
    { flags: "--no-commit", description: "change the work tree only" },
  ],
} as const satisfies Record<string, readonly OptionSpec[]>;

/** The options a command of `kind` has besides its own. */
export function commonOptionsOf(kind: CommandKind): readonly OptionSpec[] {
  const reads = kind === "read" || kind === "both" ? commonOptions.read : [];
  const writes = kind === "write" || kind === "both" ? commonOptions.write : [];
  return [...reads, ...writes, ...commonOptions.all];
}

/** A command line that was understood. */
export interface ParsedLine {
  readonly args: readonly string[];
  /** By camel-cased name. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly common: CommonOptions;
}

/** The common options among all parsed ones. */
export function toCommonOptions(options: Readonly<Record<string, unknown>>): CommonOptions {
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  return {
    json: options["json"] === true,
    directory: text(options["C"]),
    nonInteractive: options["nonInteractive"] === true,
    at: text(options["at"]),
    dryRun: options["dryRun"] === true,
    yes: options["yes"] === true,
    note: text(options["reason"]),
    commit: options["commit"] !== false,
  };
}
