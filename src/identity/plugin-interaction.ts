import { parseBase64 } from "../crypto/age-base64.ts";
import type { Stanza } from "../crypto/age-header.ts";
import { hasCode } from "../errors.ts";
import { plainText, pluginFailed } from "./plugin-failure.ts";
import { printFrame } from "./plugin-stanza.ts";

/** How plugins talk to a person. What cannot be done here is left out; the plugin is then told so. */
export interface PluginInteraction {
  /** Shows a line. */
  say?(text: string): void;
  /** True for yes. */
  confirm?(question: string): Promise<boolean>;
  /** What is typed, shown as it is typed. */
  ask?(question: string): Promise<string>;
  /** What is typed, not shown. */
  askHidden?(question: string): Promise<string>;
  /** Told once a process, when the plugin has said nothing for some seconds. */
  waiting?(text: string): void;
}

/**
 * The answer to a command by which the plugin `name` talks to a person, as it is written back;
 * undefined for any other command. A person who aborts ends it all: throws E_ABORTED.
 */
export async function answerForPerson(
  name: string,
  { args, body }: Stanza,
  interaction: PluginInteraction,
): Promise<string | undefined> {
  const text = `age-plugin-${name}: ${plainText(body)}`;
  switch (args[0] ?? "") {
    case "msg":
      interaction.say?.(text);
      return printFrame([interaction.say === undefined ? "fail" : "ok"]);
    case "confirm": {
      const choices = args.slice(1).map((choice) => parseBase64(choice, "bare"));
      const [yes, no] = choices.map((choice) => (choice === undefined ? undefined : plainText(choice)));
      if (yes === undefined || choices.includes(undefined) || choices.length > 2) {
        throw pluginFailed(name, "its question has no proper answers");
      }
      const question = `${text} (yes: ${yes}${no === undefined ? "" : `, no: ${no}`})`;
      const answer = await orFail(interaction.confirm?.(question));
      return printFrame(answer === undefined ? ["fail"] : ["ok", answer ? "yes" : "no"]);
    }
    case "request-public":
      return typed(await orFail(interaction.ask?.(`${text}: `)));
    case "request-secret":
      return typed(await orFail(interaction.askHidden?.(`${text}: `)));
    default:
      return undefined;
  }
}

function typed(text: string | undefined): string {
  return text === undefined ? printFrame(["fail"]) : printFrame(["ok"], Buffer.from(text));
}

/** What was answered; undefined when nobody could be asked. */
async function orFail<T>(answer: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (hasCode(error, "E_NEEDS_TERMINAL")) return undefined;
    throw error;
  }
}
