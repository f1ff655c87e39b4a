import type { AskPassphrase } from "../crypto/passphrase.ts";
import { SealtreeError } from "../errors.ts";
import type { Io } from "./io.ts";
import { askHidden, askHiddenAt } from "./prompt.ts";
import { safeText } from "./safe-text.ts";

const commandName = "SEALTREE_PASSPHRASE_CMD";

/** Where passphrases come from in one run of a command. */
export interface PassphraseSource {
  readonly io: Io;
  /** False when nobody is to be asked, terminal or not. */
  readonly isAllowed: boolean;
}

/** A person is asked unless `--non-interactive` or CI forbids it. */
export function passphraseSource(io: Io, options: { readonly nonInteractive: boolean }): PassphraseSource {
  return { io, isAllowed: !options.nonInteractive && !io.env["CI"] };
}

/**
 * Asks for passphrases, one question at a time: SEALTREE_PASSPHRASE_CMD prints them where it is
 * set, and knows from SEALTREE_PASSPHRASE_OF whose is wanted; else a hidden prompt. A question
 * that comes again means that the answer was wrong: a person gets another try, the command does
 * not, which throws E_IDENTITY_INVALID. Throws E_NEEDS_TERMINAL when nobody can be asked.
 */
export function createAskPassphrase(source: PassphraseSource): AskPassphrase {
  const asked = new Set<string>();
  let turn: Promise<unknown> = Promise.resolve();
  const ask = async (of: string, isAgain: boolean): Promise<string> => {
    if (source.io.env[commandName]) {
      if (!isAgain) return await fromCommand(source.io, of);
      throw new SealtreeError("E_IDENTITY_INVALID", `incorrect passphrase for ${of}`, {
        hints: [`look at what ${commandName} prints; it finds what is asked for in SEALTREE_PASSPHRASE_OF`],
      });
    }
    return await fromPerson(source, `${isAgain ? "incorrect, once more: " : ""}passphrase of ${of}: `);
  };
  return (of) => {
    const isAgain = asked.has(of);
    asked.add(of);
    const answer = turn.then(async () => await ask(of, isAgain));
    turn = answer.catch(() => undefined);
    return answer;
  };
}

/**
 * A passphrase for something new, typed twice, or printed by SEALTREE_PASSPHRASE_CMD. Throws
 * E_INPUT_INVALID for an empty one and for two that differ, and as {@link createAskPassphrase} does.
 */
export async function askNewPassphrase(source: PassphraseSource, of: string): Promise<string> {
  const fromEnvironment = source.io.env[commandName] ? await fromCommand(source.io, of) : undefined;
  const passphrase = fromEnvironment ?? (await fromPerson(source, `new passphrase for ${of}: `));
  if (passphrase === "") throw new SealtreeError("E_INPUT_INVALID", "the passphrase is empty");
  if (fromEnvironment !== undefined) return passphrase;
  if ((await fromPerson(source, "the same once more: ")) === passphrase) return passphrase;
  throw new SealtreeError("E_INPUT_INVALID", "the two passphrases differ", {
    hints: ["nothing was written; try again"],
  });
}

/** At standard input, or at the terminal itself where standard input is something else, such as a value. */
async function fromPerson({ io, isAllowed }: PassphraseSource, question: string): Promise<string> {
  if (isAllowed && io.stdin.isTTY === true) return await askHidden(io, safeText(question));
  const terminal = isAllowed ? io.openTerminal?.() : undefined;
  if (terminal !== undefined) return await askHiddenAt(terminal, safeText(question));
  throw new SealtreeError("E_NEEDS_TERMINAL", "a passphrase is needed, and nobody can be asked here", {
    hints: [`put a command that prints it into ${commandName}, such as: ${commandName}='pass show sealtree'`],
  });
}

async function fromCommand({ env }: Io, of: string): Promise<string> {
  const { runSecretCommand } = await import("../identity/secret-command.ts");
  const output = await runSecretCommand(env[commandName] ?? "", env, { SEALTREE_PASSPHRASE_OF: of });
  if (output !== undefined) return output.replace(/\r?\n$/, "");
  throw new SealtreeError("E_IDENTITY_INVALID", `the command of ${commandName} failed`, {
    hints: ["run it by itself to see why; what it says is not shown here"],
  });
}
