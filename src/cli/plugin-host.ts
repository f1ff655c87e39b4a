import type { Identity } from "../crypto/identity.ts";
import type { PluginHost } from "../crypto/plugin-host.ts";
import { pluginOf } from "../crypto/plugin-identity.ts";
import { hasCode } from "../errors.ts";
import type { GitPlace } from "../git/place.ts";
import type { PluginInteraction } from "../identity/plugin-interaction.ts";
import { identitiesOrNone } from "../identity/identities-or-none.ts";
import { createPluginHost } from "../identity/plugins.ts";
import type { Io } from "./io.ts";
import { askHidden, askText, askYesNo } from "./prompt.ts";

/** The run of a command that plugins are needed for. */
export interface PluginUser {
  readonly io: Io;
  readonly isInteractive: boolean;
  /** Throws E_NO_REPOSITORY. */
  readonly place: () => GitPlace;
  /** Throws E_NO_IDENTITY. */
  readonly identities: () => Promise<readonly Identity[]>;
}

/** The plugin host of one run of a command. */
export function openPluginHost({ io, isInteractive, place, identities }: PluginUser): PluginHost {
  return createPluginHost(io.env, {
    interaction: createPluginInteraction(io, isInteractive),
    root: orNothing(() => place().root),
    own: async () => new Set((await identitiesOrNone(identities)).flatMap((identity) => pluginOf(identity) ?? [])),
  });
}

/** One question at a time; when nobody is there, plugins may only say things. Their words come safe to print. */
function createPluginInteraction(io: Io, isInteractive: boolean): PluginInteraction {
  const write = (text: string) => void io.stderr.write(`${text}\n`);
  const said: PluginInteraction = { say: write, ...(io.stderr.isTTY === true ? { waiting: write } : {}) };
  if (!isInteractive) return said;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = async <T>(ask: () => Promise<T>): Promise<T> => {
    const mine = last.then(ask);
    last = mine.catch(() => undefined);
    return await mine;
  };
  return {
    ...said,
    confirm: async (question) => await inTurn(async () => await askYesNo(io, question)),
    ask: async (question) => await inTurn(async () => await askText(io, question)),
    askHidden: async (question) => await inTurn(async () => await askHidden(io, question)),
  };
}

function orNothing<T>(get: () => T): T | undefined {
  try {
    return get();
  } catch (error) {
    if (hasCode(error, "E_NO_REPOSITORY")) return undefined;
    throw error;
  }
}
