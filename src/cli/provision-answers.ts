import { SealtreeError, usageError } from "../errors.ts";
import { readJsonTree } from "../migrate/json-tree.ts";
import { textOf } from "../migrate/source-tree.ts";
import type { PlannedSecret } from "../provision/plan.ts";
import type { Answers } from "../provision/provision.ts";
import { printAddress } from "../secret/address.ts";
import { Secret } from "../secret/secret.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import { withLine } from "../values/input-line.ts";
import type { Context } from "./context.ts";
import { count } from "./present.ts";
import { readStdin } from "./value-input.ts";

const maxBytes = 8 * 1024 * 1024;

/**
 * The values that a plan asks for: of JSON on stdin, or typed one after the other at hidden
 * prompts, where an empty answer leaves an optional one out. Throws E_NEEDS_TERMINAL with the list
 * when nobody can be asked, and E_INPUT_INVALID for answers that are missing or that nothing asks for.
 */
export async function readAnswers(
  context: Context,
  secrets: readonly PlannedSecret[],
  fromStdin: boolean,
): Promise<Answers> {
  const asked = secrets.filter(({ step }) => step === "prompt");
  if (fromStdin) return checkAnswers(asked, readObject(await readStdin(context, maxBytes)));
  const needed = asked.filter(({ optional }) => !optional);
  if (!context.isInteractive) {
    if (needed.length > 0) throw notAnswered(needed);
    return new Map();
  }
  const answers = new Map<string, Secret>();
  for (const secret of asked) {
    const answer = await ask(context, secret);
    if (answer !== undefined) answers.set(printAddress(secret.address), answer);
  }
  return answers;
}

async function ask(context: Context, { address, origin, optional }: PlannedSecret): Promise<Secret | undefined> {
  const question = origin.way === "prompt" ? origin.question : "";
  const tail = optional ? " (empty leaves it out)" : "";
  for (;;) {
    context.say(`${printAddress(address)}: ${question}${tail}`);
    const text = await context.askHidden("value: ");
    if (text !== "") return Secret.text(text);
    if (optional) return undefined;
    context.say("the value is empty, and the template needs one");
  }
}

function readObject(bytes: Buffer): Map<string, Secret> {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new SealtreeError("E_INPUT_INVALID", "stdin is not UTF-8");
  try {
    const answers = readJsonTree(text).items.map(({ key, value }) => {
      const answer = textOf(value);
      if (answer !== undefined) return [key, Secret.text(answer)] as const;
      throw new SealtreeError("E_INPUT_INVALID", "an answer is not a text", { hints: [shape] });
    });
    return new Map(answers);
  } catch (error) {
    throw withLine(error, "stdin");
  }
}

const shape = 'stdin is a JSON object of addresses to texts, such as {"qa/api/DATABASE_URL": "..."}';

function checkAnswers(asked: readonly PlannedSecret[], answers: Map<string, Secret>): Answers {
  const known = new Set(asked.map(({ address }) => printAddress(address)));
  const foreign = [...answers.keys()].filter((address) => !known.has(address));
  if (foreign.length > 0) {
    throw new SealtreeError("E_INPUT_INVALID", `${foreign.length} answers are for nothing that is asked`, {
      hints: [...[...known].map((address) => `asked for: ${address}`), shape],
    });
  }
  const open = asked.filter(({ address, optional }) => !optional && !answers.has(printAddress(address)));
  if (open.length > 0) throw notAnswered(open);
  return answers;
}

function notAnswered(needed: readonly PlannedSecret[]): SealtreeError {
  const hints = needed.map(({ address }) => `needed: ${printAddress(address)}`);
  return new SealtreeError("E_NEEDS_TERMINAL", `nobody can be asked here for ${count(needed.length, "value")}`, {
    hints: [...hints, `run it at a terminal, or pass --stdin: ${shape}`],
  });
}

/** The template's file. Throws E_USAGE when it is not named. */
export function parseTemplateOption(option: unknown): string {
  if (typeof option === "string" && option !== "") return option;
  throw usageError("no template is named", "name it: --template FILE; docs/provision.md says what is in one");
}
