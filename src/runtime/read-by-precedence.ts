import type { SealtreeError } from "../errors.ts";
import { printAddress, type Address } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import { isPassedOver } from "./masked-failure.ts";
import { RuntimeSecret } from "./runtime-secret.ts";
import type { SourceWatch } from "./source-watch.ts";

/** What is known of one address when all sources were asked. */
export type Outcome =
  /** `passedOver`: what a source before the one that answered failed with. */
  | { readonly kind: "found"; readonly secret: RuntimeSecret; readonly passedOver: SealtreeError | undefined }
  | { readonly kind: "failed"; readonly failure: SealtreeError }
  | { readonly kind: "missing" };

/**
 * Asks the sources in order, each for what none before it had, and each once. A source that cannot be
 * reached or does not let us in is passed over; what it holds may then come from a later one, and its
 * failure is the answer when nobody has the value. Data that is not right, such as a record that was
 * changed, ends the search: a later source must not hide it.
 */
export async function readByPrecedence(
  sources: readonly SourceWatch[],
  addresses: readonly Address[],
  known: () => Iterable<Secret>,
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const passedOver = new Map<string, SealtreeError>();
  for (const source of sources) {
    const wanted = addresses.filter((it) => !outcomes.has(printAddress(it)) && source.provider.takes(it));
    if (wanted.length === 0) continue;
    const { values, failures } = await source.read(wanted, known);
    for (const address of wanted) {
      const text = printAddress(address);
      const [value, failure] = [values.get(text), failures.get(text)];
      if (value !== undefined) {
        const secret = new RuntimeSecret(address, source.provider.name, value);
        outcomes.set(text, { kind: "found", secret, passedOver: passedOver.get(text) });
      } else if (failure !== undefined && !isPassedOver(failure)) outcomes.set(text, { kind: "failed", failure });
      else if (failure !== undefined && !passedOver.has(text)) passedOver.set(text, failure);
    }
  }
  for (const text of addresses.map(printAddress)) {
    const failure = passedOver.get(text);
    if (!outcomes.has(text))
      outcomes.set(text, failure === undefined ? { kind: "missing" } : { kind: "failed", failure });
  }
  return outcomes;
}
