import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { isDeepStrictEqual } from "node:util";
import { SealtreeError } from "../errors.ts";
import { git } from "../git/run.ts";
import { endingSignals } from "../values/signals.ts";
import type { Io } from "./io.ts";
import type { Style } from "./present.ts";
import { safeText } from "./safe-text.ts";

/** Somebody who plays in the demo, with a home and a clone of their own. */
export interface Actor {
  readonly name: string;
  readonly home: string;
  /** The clone; it need not be there yet. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
}

/** How a line of the demo is run and shown. */
export interface LineOptions {
  readonly stdin?: string;
  /** What a person would type, where it is not the line itself. */
  readonly typed?: string;
  /** The exit status it must end with; 0 without. */
  readonly exit?: number;
  /** Lines of output that are shown; 4 without. `nothing` shows not even the line. */
  readonly show?: number | "nothing";
  readonly now?: Date;
  /** Variables on top of the actor's. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface LineResult {
  readonly code: number;
  readonly stdout: string;
  readonly elapsedMs: number;
}

/** Where the demo plays: what was said, what was claimed, and who is there. */
export interface Stage {
  readonly base: string;
  readonly io: Io;
  readonly alice: Actor;
  readonly bob: Actor;
  readonly carol: Actor;
  /** Claims that did not hold, in words. */
  readonly failures: readonly string[];
  readonly claims: number;
  /** All that was shown. */
  readonly shown: string;
  /** Begins a part. */
  act(title: string, explanation: string): void;
  /** Says what happens besides commands. */
  note(text: string): void;
  /**
   * Runs a command as one of the actors, in this process. Throws E_DEMO_FAILED when it does not
   * end as it must.
   */
  sealtree(actor: Actor, argv: readonly string[], options?: LineOptions): Promise<LineResult>;
  /** Runs git as one of the actors, and gives what it printed. */
  git(actor: Actor, args: readonly string[], options?: Pick<LineOptions, "typed" | "show" | "env">): Promise<string>;
  /** Says that two things are the same, and remembers when they are not. Shows neither. */
  claim(sentence: string, actual: unknown, expected: unknown): void;
}

export interface StageOptions {
  print(this: void, line: string): void;
  paint(this: void, style: Style, text: string): string;
}

const passedOn = ["PATH", "Path", "PATHEXT", "SystemRoot", "TMPDIR", "TEMP", "TMP"];
const lineWidth = 110;

/** Runs `work` with a new folder that only this user may enter, and removes it however that ends. */
export async function withStageFolder<T>(work: (base: string) => Promise<T>): Promise<T> {
  const base = mkdtempSync(join(tmpdir(), "sealtree-demo-"));
  const remove = () => rmSync(base, { recursive: true, force: true, maxRetries: 3 });
  const end = (signal: NodeJS.Signals) => {
    remove();
    for (const name of endingSignals) process.off(name, end);
    process.kill(process.pid, signal);
  };
  for (const name of endingSignals) process.once(name, end);
  try {
    return await work(base);
  } finally {
    for (const name of endingSignals) process.off(name, end);
    remove();
  }
}

/** Sets the stage in `base`: three people, none of whom sees anything of the user's own settings. */
export function createStage(base: string, io: Io, { print, paint }: StageOptions): Stage {
  const failures: string[] = [];
  let claims = 0;
  let acts = 0;
  let shown = "";

  const show = (line: string, style?: Style) => {
    const text = safeText(line);
    shown += `${text}\n`;
    print(style === undefined ? text : paint(style, text));
  };
  const showOutput = (output: string, lines: number) => {
    const all = output.split("\n").filter((line) => line.trim() !== "");
    for (const line of all.slice(0, lines)) show(`    ${clip(line)}`, "dim");
    if (all.length > lines && lines > 0) show(`    ... ${all.length - lines} more`, "dim");
  };
  const claim = (sentence: string, actual: unknown, expected: unknown) => {
    claims += 1;
    if (isDeepStrictEqual(actual, expected)) show(`  ok  ${sentence}`, "green");
    else {
      failures.push(sentence);
      show(`  FAILED  ${sentence}`, "red");
    }
  };

  return {
    base,
    io,
    alice: createActor(base, "alice", io),
    bob: createActor(base, "bob", io),
    carol: createActor(base, "carol", io),
    failures,
    get claims() {
      return claims;
    },
    get shown() {
      return shown;
    },
    act(title, explanation) {
      acts += 1;
      print("");
      show(`${acts}. ${title}`, "bold");
      show(`   ${explanation}`);
    },
    note(text) {
      show(`  ${text}`);
    },
    async sealtree(actor, argv, options = {}) {
      const { show: lines = 4, exit = 0 } = options;
      const line = `sealtree ${options.typed ?? argv.map(quoteWord).join(" ")}`;
      if (lines !== "nothing") show(`  ${actor.name}$ ${line}`, "cyan");
      const { code, stdout, all, elapsedMs } = await runLine(io, actor, argv, options);
      if (lines !== "nothing") showOutput(all, lines);
      if (code !== exit) throw failed(`${actor.name}'s \`${line}\` ended with ${code} and must end with ${exit}`);
      return { code, stdout, elapsedMs };
    },
    async git(actor, args, options = {}) {
      const { show: lines = 0 } = options;
      if (lines !== "nothing") show(`  ${actor.name}$ git ${options.typed ?? args.map(quoteWord).join(" ")}`, "cyan");
      const output = await git({ root: actor.root, env: { ...actor.env, ...options.env } }, args);
      if (lines !== "nothing") showOutput(output, lines);
      return output;
    },
    claim,
  };
}

function createActor(base: string, name: string, io: Io): Actor {
  const home = join(base, name);
  const root = join(home, "company");
  mkdirSync(root, { recursive: true });
  const fullName = `${name.charAt(0).toUpperCase()}${name.slice(1)} Example`;
  writeFileSync(join(home, ".gitconfig"), `[user]\n\tname = ${fullName}\n\temail = ${name}@example.test\n`);
  const kept = passedOn.flatMap((key) => (io.env[key] === undefined ? [] : [[key, io.env[key]]]));
  const own = { HOME: home, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: join(home, ".gitconfig") };
  return { name, home, root, env: { ...(Object.fromEntries(kept) as Record<string, string>), ...own } };
}

async function runLine(world: Io, actor: Actor, argv: readonly string[], { stdin, now, env }: LineOptions) {
  const out: Buffer[] = [];
  const all: Buffer[] = [];
  const sink = (...lists: Buffer[][]) => ({
    write(chunk: string | Uint8Array) {
      for (const list of lists) list.push(Buffer.from(chunk));
      return true;
    },
  });
  const io: Io = {
    env: { ...actor.env, ...env },
    cwd: actor.root,
    stdin: Readable.from(stdin === undefined ? [] : [Buffer.from(stdin)]),
    stdout: sink(out, all),
    stderr: sink(all),
    self: world.self,
    now: () => now ?? world.now(),
    random: (size) => world.random(size),
  };
  const { main } = await import("./main.ts");
  const start = performance.now();
  const code = await main(argv, io);
  const elapsedMs = performance.now() - start;
  return { code, stdout: Buffer.concat(out).toString("utf8"), all: Buffer.concat(all).toString("utf8"), elapsedMs };
}

function failed(what: string): SealtreeError {
  return new SealtreeError("E_DEMO_FAILED", what, { hints: ["sealtree demo --keep DIR leaves everything to look at"] });
}

function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`;
}

function clip(line: string): string {
  return line.length <= lineWidth ? line : `${line.slice(0, lineWidth - 3)}...`;
}
