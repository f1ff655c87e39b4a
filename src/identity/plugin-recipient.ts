import { hasKnownShape, type Stanza } from "../crypto/age-header.ts";
import type { LabeledStanza } from "../crypto/plugin-host.ts";
import { plainText, pluginFailed } from "./plugin-failure.ts";
import { grease, type PluginStart, runPlugin } from "./plugin-process.ts";
import { findFileIndex, printFrame } from "./plugin-stanza.ts";

/**
 * Wraps file keys for one recipient, or one identity, in one process (C2SP age-plugin.md,
 * "Wrapping with recipient-v1"). Only one: which stanza is whose cannot be told when there
 * are several. Gives a stanza a file key, in their order. Throws E_PLUGIN_FAILED, also when
 * the plugin gives another number of stanzas.
 */
export async function wrapWithPlugin(
  start: PluginStart,
  key: string,
  fileKeys: readonly Uint8Array[],
  onEnd: (ended: Promise<void>) => void,
): Promise<LabeledStanza[]> {
  const { name } = start;
  const stanzas = new Map<number, Stanza>();
  let labels: readonly string[] | undefined;
  let refusal: string | undefined;
  const phase1 = [
    printFrame([/^AGE-PLUGIN-/i.test(key) ? "add-identity" : "add-recipient", key]),
    grease(),
    ...fileKeys.map((fileKey) => printFrame(["wrap-file-key"], fileKey)),
    printFrame(["extension-labels"]),
  ];
  const { done, ended } = runPlugin(start, "recipient-v1", phase1, fileKeys.length, ({ args, body }) => {
    const [command, index, ...stanzaArgs] = args;
    if (command === "error") refusal ??= plainText(body);
    else if (command === "labels") {
      if (labels !== undefined) throw pluginFailed(name, "it gave labels twice");
      labels = args.slice(1);
    } else if (command === "recipient-stanza") {
      const at = findFileIndex(index, fileKeys.length);
      const stanza = { args: stanzaArgs, body };
      if (at === undefined || stanzaArgs.length === 0 || !hasKnownShape(stanza)) {
        throw pluginFailed(name, "it gave a malformed stanza");
      }
      if (stanzas.has(at)) throw pluginFailed(name, "it gave more than one stanza for a recipient");
      stanzas.set(at, stanza);
    } else return undefined;
    return "ok";
  });
  onEnd(ended);
  await done.catch((error: unknown) => {
    // What it said of the reason is better than how it ended.
    if (refusal === undefined) throw error;
  });
  if (refusal !== undefined) throw pluginFailed(name, refusal);
  return fileKeys.map((_, index) => {
    const stanza = stanzas.get(index);
    if (stanza === undefined) throw pluginFailed(name, "it gave no stanza for a recipient");
    return { ...stanza, labels: labels ?? [] };
  });
}
