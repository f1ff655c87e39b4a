import { Redacted } from "../secret/redacted.ts";
import type { AgeHeader } from "./age-header.ts";
import { decodeBech32 } from "./bech32.ts";
import type { Identity, UnwrappedKey } from "./identity.ts";
import type { LoadPlugins } from "./plugin-host.ts";
import type { Recipient } from "./recipient.ts";

/** A plugin's name becomes part of a program's name, so it holds nothing that leads elsewhere. */
const identityPrefix = /^AGE-PLUGIN-([A-Z0-9](?:[A-Z0-9-]{0,30}[A-Z0-9])?)-$/;

/** Such as `# public key: age1...` and `#    Recipient: age1yubikey1...`. */
const publicHalf = /^#\s*(?:public key|recipient)\s*:\s*(\S+)\s*$/i;

/** The name, in lower case, of the plugin whose identity `text` is; undefined when it is none. */
export function findIdentityPlugin(text: string): string | undefined {
  return identityPrefix.exec(decodeBech32(text)?.prefix ?? "")?.[1]?.toLowerCase();
}

/**
 * An identity that a plugin has: `text` is an `AGE-PLUGIN-NAME-1...`. What one of `comments`, the
 * lines right above it, calls its recipient or public key is its public half. The plugin is
 * started when a file is opened.
 */
export function createPluginIdentity(text: string, comments: readonly string[], plugins: LoadPlugins): Identity {
  return new PluginIdentity(text, comments, plugins);
}

/** The name of the plugin that has the identity; undefined for any other kind of identity. */
export function pluginOf(identity: Identity): string | undefined {
  return identity instanceof PluginIdentity ? identity.plugin : undefined;
}

class PluginIdentity extends Redacted implements Identity {
  readonly #text: string;
  readonly #comments: readonly string[];
  readonly #plugins: LoadPlugins;

  constructor(text: string, comments: readonly string[], plugins: LoadPlugins) {
    super();
    this.#text = text;
    this.#comments = comments;
    this.#plugins = plugins;
  }

  protected get label(): string {
    return "Identity";
  }

  get plugin(): string | undefined {
    return findIdentityPlugin(this.#text);
  }

  async recipients(): Promise<readonly Recipient[]> {
    const { findRecipient } = await import("./parse-recipient.ts");
    return this.#comments.flatMap((comment) => findRecipient(publicHalf.exec(comment)?.[1] ?? "") ?? []);
  }

  async unwrapFileKey(header: AgeHeader): Promise<UnwrappedKey | undefined> {
    return await (await this.#plugins()).unwrapFileKey(this.#text, header);
  }
}
