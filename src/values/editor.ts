import { spawn, spawnSync } from "node:child_process";
import { SealtreeError } from "../errors.ts";
import type { Environment } from "../git/place.ts";
import { withoutIdentities } from "../identity/clean-environment.ts";
import { endingSignals, sentByTerminal, type SignalSource } from "./signals.ts";

/** How an editing session ended for the process. */
export type EditorExit =
  | { readonly kind: "closed" }
  | { readonly kind: "interrupted"; readonly signal: NodeJS.Signals };

export interface EditorOptions {
  readonly env: Environment;
  readonly signals: SignalSource;
  /** `terminal` when Ctrl-C reaches the editor by itself and is the editor's business. */
  readonly stdin: "terminal" | "other";
}

const vimSettings = "set noswapfile noundofile nobackup nowritebackup viminfo=";
/** Before the user's own settings, for reading the file, and after them. */
const vimArguments = ["-n", "-i", "NONE", "--cmd", vimSettings, "-c", vimSettings];
const windowed = /^(?:code|code-insiders|codium|cursor|windsurf|zed|subl|atom|mate|gedit|kate)$/;
const waits = /(?:^|\s)(?:--wait|-w|--block|-b|--standalone|-s)(?:\s|$)/;

/** The editor's command line, as git chooses it: VISUAL, EDITOR, then vi. */
function findEditor(env: Environment): string {
  return env["VISUAL"] || env["EDITOR"] || "vi";
}

/**
 * Opens `file` in the editor through the shell, as git does, so that EDITOR may have
 * arguments. vim and nano are told to leave no copies, and the editor gets no identity. A
 * signal that is meant for us is passed on, and ends the wait at once.
 * Throws E_EDITOR_FAILED when the editor does not start or does not end with 0.
 */
export async function openEditor(file: string, { env, signals, stdin }: EditorOptions): Promise<EditorExit> {
  const editor = findEditor(env);
  const rest = withoutIdentities(env);
  const args = [
    "-c",
    `${isOneCommand(editor) ? "exec " : ""}${editor} "$@"`,
    editor,
    ...privacyArguments(editor, rest),
    file,
  ];
  const child = spawn("sh", args, { env: rest, stdio: "inherit" });
  let interrupt: (signal: NodeJS.Signals) => void = () => undefined;
  const interrupted = new Promise<EditorExit>((resolve) => {
    interrupt = (signal) => {
      if (stdin === "terminal" && sentByTerminal.includes(signal)) return;
      child.kill(signal);
      child.unref();
      resolve({ kind: "interrupted", signal });
    };
  });
  for (const signal of endingSignals) signals.on(signal, interrupt);
  try {
    return await Promise.race([waitForEditor(child), interrupted]);
  } finally {
    for (const signal of endingSignals) signals.off(signal, interrupt);
  }
}

/** A hint for an editor that opens a window and returns at once, unless it was told to wait. */
export function waitHint(env: Environment): string | undefined {
  const editor = findEditor(env);
  if (!windowed.test(programOf(editor)) || waits.test(editor)) return undefined;
  return `the editor returned at once? make it wait: EDITOR='${programOf(editor)} --wait'`;
}

function waitForEditor(child: ReturnType<typeof spawn>): Promise<EditorExit> {
  return new Promise((resolve, reject) => {
    const fail = (how: string, cause?: unknown) =>
      reject(
        new SealtreeError("E_EDITOR_FAILED", `the editor ${how}, so nothing was changed`, {
          hints: ["name another one: EDITOR=nano sealtree edit SCOPE"],
          cause,
        }),
      );
    child.once("error", (error) => fail("could not be started", error));
    child.once("exit", (code, signal) => {
      if (code === 0) resolve({ kind: "closed" });
      else fail(signal === null ? `ended with ${code ?? "no status"}` : `was ended by ${signal}`);
    });
  });
}

/** True for a command that the shell may become itself, so that a signal reaches the editor and not a shell above it. */
function isOneCommand(editor: string): boolean {
  return !/[;&|<>(){}\n]|^\s*\w+=/.test(editor);
}

/** What keeps an editor from leaving copies; a `vi` that is another program takes no such arguments. */
function privacyArguments(editor: string, env: Environment): readonly string[] {
  const program = programOf(editor);
  if (/^[gm]vim$/.test(program)) return ["-f", ...vimArguments];
  if (/^(?:vim|nvim|vimx|rvim)(?:\.\w+)?$/.test(program)) return vimArguments;
  if (program === "nano" || program === "rnano") return ["--ignorercfiles"];
  return program === "vi" && isVim(editor, env) ? vimArguments : [];
}

function isVim(editor: string, env: Environment): boolean {
  const asked = spawnSync("sh", ["-c", `${editor} --version`], {
    env,
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 2000,
  });
  return /\bN?VIM\b/.test(String(asked.stdout));
}

function programOf(editor: string): string {
  const [first = ""] = editor.trim().split(/\s+/);
  return first.slice(first.lastIndexOf("/") + 1);
}
