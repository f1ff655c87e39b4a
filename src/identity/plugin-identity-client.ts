import type { AgeHeader } from "../crypto/age-header.ts";
import { isSealtreeError, type SealtreeError } from "../errors.ts";
import { plainText, pluginFailed } from "./plugin-failure.ts";
import { grease, type PluginStart, runPlugin } from "./plugin-process.ts";
import { findFileIndex, printFrame } from "./plugin-stanza.ts";

const fileKeyBytes = 16;

/**
 * What one identity finds in the headers of many files, in one process (C2SP age-plugin.md,
 * "Unwrapping with identity-v1"): for each header the file key, undefined when none is for
 * the identity, or why the plugin could not say. Throws E_ABORTED when a person aborts.
 */
export async function unwrapWithPlugin(
  start: PluginStart,
  identity: string,
  headers: readonly AgeHeader[],
  onEnd: (ended: Promise<void>) => void,
): Promise<(Uint8Array | undefined | SealtreeError)[]> {
  const { name } = start;
  const found = new Map<number, Uint8Array | SealtreeError>();
  let failure: SealtreeError | undefined;
  const phase1 = [
    printFrame(["add-identity", identity]),
    grease(),
    ...headers.flatMap(({ stanzas }, file) =>
      stanzas.map(({ args, body }) => printFrame(["recipient-stanza", String(file), ...args], body)),
    ),
  ];
  const { done, ended } = runPlugin(start, "identity-v1", phase1, headers.length, ({ args, body }) => {
    const [command, ...rest] = args;
    if (command === "file-key") {
      const at = rest.length === 1 ? findFileIndex(rest[0], headers.length) : undefined;
      if (at === undefined || body.length !== fileKeyBytes) throw pluginFailed(name, "it gave a malformed file key");
      const isSecond = found.get(at) instanceof Uint8Array;
      found.set(at, isSecond ? pluginFailed(name, "it gave two file keys for a file") : body);
      return "ok";
    }
    if (command !== "error") return undefined;
    const said = pluginFailed(name, plainText(body));
    const at = rest[0] === "stanza" ? findFileIndex(rest[1], headers.length) : undefined;
    if (at === undefined) failure ??= said;
    else if (!found.has(at)) found.set(at, said);
    return "ok";
  });
  onEnd(ended);
  await done.catch((error: unknown) => {
    if (!isSealtreeError(error) || error.code !== "E_PLUGIN_FAILED") throw error;
    failure ??= error;
  });
  return headers.map((_, index) => found.get(index) ?? failure);
}
