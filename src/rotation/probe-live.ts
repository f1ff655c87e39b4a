import type { Session } from "../access/session.ts";
import { isProviderFailure } from "../net/provider-failure.ts";
import { isSealtreeError } from "../errors.ts";
import { parseAddress, type Address } from "../secret/address.ts";
import { readParts } from "./credential-values.ts";
import { openLive } from "./journal-values.ts";
import { mapLimit } from "../services/map-limit.ts";
import { openProvider, requireProviderRule } from "./open-provider.ts";
import { ruleFor } from "./policy.ts";
import { bindRule, callTimeoutMs, type RotationRun } from "./rotation-run.ts";
import { openRotationView, type RotationView } from "./rotation-view.ts";
import { hasProvider } from "./rotators/registry.ts";
import type { Liveness } from "../services/liveness.ts";

/** Whether a provider lets in what the repository says. */
export interface ProbedSecret {
  readonly address: Address;
  readonly liveness: Liveness;
  /** Why it is not known. */
  readonly why: string | undefined;
}

const parallel = 8;

/**
 * Asks the providers of all secrets that a rule rotates there whether the values at `commit` are
 * let in. Changes nothing. A secret that you may not read is `unknown`, with the reason.
 */
export async function probeLive(
  session: Session,
  env: RotationRun["env"],
  commit: string,
): Promise<readonly ProbedSecret[]> {
  const view = await openRotationView(session, commit);
  try {
    const rules = await view.rules();
    const addresses = [...rules.secrets.keys()]
      .map((text) => parseAddress(text))
      .filter((address) => {
        const rule = ruleFor(rules, address);
        return rule !== undefined && hasProvider(rule.rotator);
      });
    return await mapLimit(addresses, parallel, async (address) => await probeOne({ session, env }, view, address));
  } finally {
    view.close();
  }
}

async function probeOne(
  { session, env }: Pick<RotationRun, "session" | "env">,
  view: RotationView,
  address: Address,
): Promise<ProbedSecret> {
  try {
    const run = { session, env, timeoutMs: callTimeoutMs, bind: bindRule };
    const own = await requireProviderRule(run, view, address);
    const values = await openLive(await view.scope(address.scope), address, own.rule);
    const provider = await openProvider(run, view, address, own);
    try {
      const credential = await provider.identify(readParts(address, own.rule, own.bound.parts, values));
      const liveness = credential === undefined ? "dead" : await provider.probe(credential);
      return { address, liveness, why: liveness === "unknown" ? "the provider could not be asked" : undefined };
    } finally {
      await provider.close();
    }
  } catch (error) {
    if (!isSealtreeError(error) && !isProviderFailure(error)) throw error;
    return { address, liveness: "unknown", why: error.message };
  }
}
