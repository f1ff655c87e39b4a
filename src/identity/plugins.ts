import { createHash } from "node:crypto";
import type { UnwrappedKey } from "../crypto/identity.ts";
import type { AgeHeader } from "../crypto/age-header.ts";
import type { LabeledStanza, PluginHost } from "../crypto/plugin-host.ts";
import { findIdentityPlugin } from "../crypto/plugin-identity.ts";
import { findPluginName } from "../crypto/parse-recipient.ts";
import { SealtreeError } from "../errors.ts";
import type { Environment } from "../git/place.ts";
import { createBatch, createTurns, type TakeTurn } from "./plugin-batch.ts";
import { pluginFailed } from "./plugin-failure.ts";
import { unwrapWithPlugin } from "./plugin-identity-client.ts";
import type { PluginInteraction } from "./plugin-interaction.ts";
import type { PluginStart } from "./plugin-process.ts";
import { findPluginProgram } from "./plugin-program.ts";
import { wrapWithPlugin } from "./plugin-recipient.ts";

/** What a host knows of the world around it. */
export interface PluginSurroundings {
  /** How plugins talk to a person; without it nobody can be asked. */
  readonly interaction?: PluginInteraction;
  /** The work tree's root. No program in it is started. */
  readonly root?: string | undefined;
  /** The plugins that the user's own identities belong to. They may be started for recipients too. */
  readonly own?: () => Promise<ReadonlySet<string>>;
  /** How long a plugin may be silent before the person is told; 5 seconds unless told. */
  readonly patienceMs?: number;
}

/** What is known of one plugin that was used. */
interface Plugin {
  readonly takeTurn: TakeTurn;
  /** When the last process is gone: two at once would fight over the hardware. */
  ended: Promise<void>;
}

/**
 * Runs the plugins in PATH. One that is wanted for a recipient only, which may come from a
 * hostile repository, is started when SEALTREE_PLUGINS lists its name (joined by commas) or
 * when one of the user's own identities belongs to it; else E_PLUGIN_FAILED.
 */
export function createPluginHost(env: Environment, surroundings: PluginSurroundings = {}): PluginHost {
  const plugins = new Map<string, Plugin>();
  const wraps = new Map<string, (fileKey: Uint8Array) => Promise<LabeledStanza>>();
  const unwraps = new Map<string, (header: AgeHeader) => Promise<Uint8Array | undefined>>();
  const opened = new Map<string, Promise<Uint8Array | undefined>>();
  const allowed = new Set((env["SEALTREE_PLUGINS"] ?? "").split(",").map((name) => name.trim()));

  const find = (name: string): Plugin => {
    const plugin = plugins.get(name) ?? { takeTurn: createTurns(), ended: Promise.resolve() };
    plugins.set(name, plugin);
    return plugin;
  };
  const prepare = async (name: string): Promise<{ start: PluginStart; onEnd: (ended: Promise<void>) => void }> => {
    const plugin = find(name);
    await plugin.ended;
    const program = findPluginProgram(name, env, surroundings.root);
    const { interaction = {}, patienceMs = 5000 } = surroundings;
    const onEnd = (ended: Promise<void>) => {
      plugin.ended = ended;
    };
    return { start: { name, program, env, interaction, patienceMs }, onEnd };
  };
  const checkAllowed = async (name: string): Promise<void> => {
    if (allowed.has(name) || (await surroundings.own?.())?.has(name) === true) return;
    throw pluginFailed(name, "a recipient asks for this plugin, and you have not allowed it", [
      `SEALTREE_PLUGINS=${name} allows it`,
    ]);
  };

  return {
    async wrapFileKey(key, fileKey) {
      const identityPlugin = findIdentityPlugin(key);
      const name = identityPlugin ?? findPluginName(key);
      if (name === undefined) throw new SealtreeError("E_RECIPIENT_INVALID", "that is not a recipient of a plugin");
      if (identityPlugin === undefined) await checkAllowed(name);
      const wrap =
        wraps.get(key) ??
        createBatch<Uint8Array, LabeledStanza>(async (fileKeys) => {
          const { start, onEnd } = await prepare(name);
          return await wrapWithPlugin(start, key, fileKeys, onEnd);
        }, find(name).takeTurn);
      wraps.set(key, wrap);
      return await wrap(fileKey);
    },

    async unwrapFileKey(identity, header): Promise<UnwrappedKey | undefined> {
      const name = findIdentityPlugin(identity);
      if (name === undefined) throw new SealtreeError("E_IDENTITY_INVALID", "that is not an identity of a plugin");
      // An identity is the user's own, so its plugin is one that the user chose.
      allowed.add(name);
      const unwrap =
        unwraps.get(identity) ??
        createBatch<AgeHeader, Uint8Array | undefined>(async (headers) => {
          const { start, onEnd } = await prepare(name);
          return await unwrapWithPlugin(start, identity, headers, onEnd);
        }, find(name).takeTurn);
      unwraps.set(identity, unwrap);
      // The same file again does not ask for another touch.
      const digest = createHash("sha256").update(identity).update("\n").update(header.bytes).digest("base64");
      const known = opened.get(digest) ?? unwrap(header);
      opened.set(digest, known);
      const fileKey = await known.catch((error: unknown) => {
        opened.delete(digest);
        throw error;
      });
      return fileKey && { fileKey, stanza: undefined };
    },
  };
}
