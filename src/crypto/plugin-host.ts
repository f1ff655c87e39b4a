import type { AgeHeader, Stanza } from "./age-header.ts";
import type { UnwrappedKey } from "./identity.ts";

/** A stanza, and the labels that every other stanza of the file has to have too. */
export interface LabeledStanza extends Stanza {
  readonly labels: readonly string[];
}

/** Runs age plugins (C2SP age-plugin.md). Calls for one key that are made at the same time share one process. */
export interface PluginHost {
  /**
   * The one stanza that wraps `fileKey` for `key`: an `age1NAME1...` recipient, or an
   * `AGE-PLUGIN-NAME-1...` identity for a plugin that has no recipients. Throws E_PLUGIN_FAILED.
   */
  wrapFileKey(key: string, fileKey: Uint8Array): Promise<LabeledStanza>;
  /**
   * The file key that an `AGE-PLUGIN-NAME-1...` identity finds in a header; undefined when it
   * finds none. Throws E_PLUGIN_FAILED when the plugin cannot say, and E_ABORTED.
   */
  unwrapFileKey(identity: string, header: AgeHeader): Promise<UnwrappedKey | undefined>;
}

/** Gives the plugin host when the first plugin is needed. */
export type LoadPlugins = () => Promise<PluginHost>;
