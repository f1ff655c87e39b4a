import { nowSeconds } from "../access/session.ts";
import { isDeepStrictEqual } from "node:util";
import { SealtreeError } from "../errors.ts";
import { printAddress, type SecretName } from "../secret/address.ts";
import { fingerprintRule, readParts, writeParts } from "./credential-values.ts";
import { findCurrent } from "./held-credentials.ts";
import type { Journal } from "./journal.ts";
import { baseOf, openLive } from "./journal-values.ts";
import type { Connection, RotationJob, Step } from "./rotation-job.ts";
import { newLease } from "./rotation-run.ts";
import type { RotationOutcome } from "./rotation-outcome.ts";
import type { RotationView } from "./rotation-view.ts";
import type { Credential } from "./rotators/provider.ts";

/**
 * The first step: looks whether everything that a rotation needs is there, and records what it is
 * about to do. A value that we choose is recorded now, before any provider has it; for one that a
 * provider makes, what it has now.
 */
export async function beginRotation(job: RotationJob, view: RotationView): Promise<Step> {
  const connection = await job.connect(view);
  const refusal = refuse(job, connection);
  if (refusal !== undefined) return { outcome: refusal };
  const { provider, calls, rule } = connection;
  const { scope } = job.address;
  const { open } = await view.scope(scope);
  const base = baseOf(open.entries, job.address, rule);
  const current = await findCurrent(job, view, connection);
  await calls.ask(undefined, () => provider.preflight(current));
  const begun: Journal = {
    address: job.address,
    run: Buffer.from(job.run.session.random(8)).toString("hex"),
    state: "claimed",
    rotator: rule.rotator,
    rule: fingerprintRule(rule),
    reason: job.reason,
    startedAtMs: job.run.session.now().getTime(),
    lease: newLease(job.run),
    rejected: 0,
    base,
    known: undefined,
    pending: undefined,
    previous: undefined,
  };
  job.needsNew = false;
  job.isUntouched = true;
  if (provider.kind === "chosen") {
    const { earlier } = job.request;
    const past = new Map([...(earlier ?? [])].map(([name, { secret }]) => [name, secret]));
    const next = await calls.ask("choose:after", () =>
      earlier === undefined
        ? provider.choose(current)
        : provider.recall(readParts(job.address, rule, connection.bound.parts, past), current),
    );
    return { edit: job.edit("begin rotating", sealPending(job, connection, begun, next)) };
  }
  if (job.request.earlier !== undefined) {
    throw new SealtreeError(
      "E_ROLLBACK_REFUSED",
      `the provider makes the values of ${printAddress(job.address)} itself`,
      {
        hints: [`take a new one: sealtree rotate ${printAddress(job.address)}`],
      },
    );
  }
  const known = provider.kind === "minted" ? await calls.ask("inventory:after", () => provider.inventory()) : undefined;
  return { edit: job.edit("begin rotating", (now) => onBase(job, now, connection, { ...begun, known })) };
}

/** Everything that {@link beginRotation} looks at, and nothing else. */
export async function inspectRotation(job: RotationJob, view: RotationView): Promise<RotationOutcome> {
  const connection = await job.connect(view);
  const refusal = job.isForMerge ? refuse(job, connection) : undefined;
  if (refusal !== undefined) return refusal;
  const current = await findCurrent(job, view, connection);
  const remarks = await connection.calls.ask(undefined, () => connection.provider.preflight(current));
  const { outage } = connection.bound;
  const unknown = current === undefined ? ["the present value is none that the provider knows"] : [];
  return { kind: "ready", remarks: [...unknown, ...(outage === undefined ? [] : [outage]), ...remarks] };
}

/** The journal with a credential as its pending one, sealed anew on each view that it is recorded on. */
export function sealPending(job: RotationJob, { rule, bound }: Connection, journal: Journal, next: Credential) {
  const { session } = job.run;
  const createdAt = nowSeconds(session);
  const ids = new Map<SecretName, string>();
  return async (view: RotationView) => {
    const scope = await view.scope(job.address.scope);
    checkSameBase(job, baseOf(scope.open.entries, job.address, rule), journal.base);
    const live = await openLive(scope, job.address, rule);
    const values = new Map<SecretName, string>();
    for (const [name, secret] of writeParts(job.address, rule, bound.parts, live, next)) {
      const valueId = ids.get(name) ?? Buffer.from(session.random(8)).toString("hex");
      ids.set(name, valueId);
      const earlier = job.request.earlier?.get(name);
      // What is given again is no other value.
      const origin = earlier?.secret.equals(secret) === true ? earlier.origin : { valueId, createdAt };
      values.set(name, await scope.sealer.seal(name, origin, secret, "pending"));
    }
    const { known: _, ...rest } = journal;
    return { journal: { ...rest, known: undefined, state: "pending" as const, pending: { id: next.id, values } } };
  };
}

async function onBase(job: RotationJob, view: RotationView, { rule }: Connection, journal: Journal) {
  const { open } = await view.scope(job.address.scope);
  checkSameBase(job, baseOf(open.entries, job.address, rule), journal.base);
  return { journal };
}

function checkSameBase(job: RotationJob, now: Journal["base"], base: Journal["base"]): void {
  if (isDeepStrictEqual(now, base)) return;
  throw new SealtreeError("E_RACED", `somebody set ${printAddress(job.address)} just now`, {
    hints: ["nothing was changed at the provider; run the command again"],
  });
}

/** An outage is for a person to decide on, and not for a nightly job or for whenever somebody merges. */
function refuse(job: RotationJob, { bound, rule }: Connection): RotationOutcome | undefined {
  const { outage } = bound;
  if (outage === undefined) return undefined;
  const owner = rule.owner === undefined ? "" : `, owner ${rule.owner}`;
  const name = printAddress(job.address);
  if (job.isForMerge) {
    return {
      kind: "refused",
      reason: `${outage}; in a pull request the old value would end before the new one is merged${owner}`,
      hints: [`rotate it on ${job.run.branch.trunk ?? ""}, where a push is allowed: sealtree rotate ${name}`],
    };
  }
  if (job.request.isNamed || job.isEmergency) return undefined;
  return {
    kind: "refused",
    reason: `${outage}${owner}`,
    hints: [`sealtree rotate ${name}, when that is all right`],
  };
}
