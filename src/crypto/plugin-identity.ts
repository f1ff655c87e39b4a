import { Redacted } from "../secret/redacted.ts";
import type { AgeHeader } from "./age-header.ts";
import { decodeBech32 } from "./bech32.ts";
import type { Identity, UnwrappedKey } from "./identity.ts";
import type { LoadPlugins } from "./plugin-host.ts";
import type { Recipient } from "./recipient.ts";

/** A plugin's name becomes part of a program's name, so it holds nothing that leads elsewhere. */
const identityPrefix = /^AGE-PLUGIN-([A-Z0-9](?:[A-Z0-9-]{0,30}[A-Z0-9])?)-$/;

/** The name, in lower case, of the plugin whose identity `text` is; undefined when it is none. */
export function findIdentityPlugin(text: string): string | undefined {
  return identityPrefix.exec(decodeBech32(text)?.prefix ?? "")?.[1]?.toLowerCase();
}

/**
 * An identity that a plugin has: `text` is an `AGE-PLUGIN-NAME-1...`, and `recipients` are what
 * is known of its public half. The plugin is started when a file is opened.
 */
export function createPluginIdentity(text: string, recipients: readonly Recipient[], plugins: LoadPlugins): Identity {
  return new PluginIdentity(text, recipients, plugins);
}

/** The name of the plugin that has the identity; undefined for any other kind of identity. */
export function pluginOf(identity: Identity): string | undefined {
  return identity instanceof PluginIdentity ? identity.plugin : undefined;
}

class PluginIdentity extends Redacted implements Identity {
  readonly #text: string;
  readonly #recipients: readonly Recipient[];
  readonly #plugins: LoadPlugins;

  constructor(text: string, recipients: readonly Recipient[], plugins: LoadPlugins) {
    super();
    this.#text = text;
    this.#recipients = recipients;
    this.#plugins = plugins;
  }

  protected get label(): string {
    return "Identity";
  }

  get plugin(): string | undefined {
    return findIdentityPlugin(this.#text);
  }

  async recipients(): Promise<readonly Recipient[]> {
    return this.#recipients;
  }

  async unwrapFileKey(header: AgeHeader): Promise<UnwrappedKey | undefined> {
    return await (await this.#plugins()).unwrapFileKey(this.#text, header);
  }
}
