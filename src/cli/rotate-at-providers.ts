import type { EarlierValues } from "../rotation/journal-values.ts";
import { createDelivery, type Delivery } from "../rotation/delivery.ts";
import { listFlights } from "../rotation/flight.ts";
import { recordGenerated } from "../rotation/record-generated.ts";
import type { RotationRequest } from "../rotation/rotation-request.ts";
import { inspectRotations, runRotations, type RotationResult } from "../rotation/run-rotations.ts";
import type { RotationRun } from "../rotation/rotation-run.ts";
import { selectRotations, type Rotation, type Selection, type Urgency } from "../rotation/select.ts";
import { rotationStatus } from "../rotation/status.ts";
import { withRotationRun, type EndedRun } from "../rotation/with-rotation-run.ts";
import { SealtreeError } from "../errors.ts";
import { findRemoteBranch } from "../git/remote-branch.ts";
import { withoutUserInfo } from "../git/run.ts";
import { toFailure } from "../rotation/rotation-outcome.ts";
import { parseAddress, printAddress, type Address } from "../secret/address.ts";
import type { Tree } from "../store/tree.ts";
import type { Context } from "./context.ts";
import { branchJudge } from "./branch-judge.ts";
import { count } from "./present.ts";
import { startProgress } from "./progress.ts";

/** What a run at providers is asked for. */
export interface ProviderRotation {
  readonly selection: Selection;
  readonly urgency: Urgency;
  /** `resume` goes on with what is in flight and begins nothing; `abandon` ends it without a new value. */
  readonly mode: "rotate" | "resume" | "abandon";
  /** True to let the old credentials live on for their grace in an emergency. */
  readonly keepsGrace: boolean;
  /** Records on this branch of the remote, for a pull request; also what no provider knows is rotated there then. */
  readonly forMerge: string | undefined;
  /** Records what no provider knows on the remote's branch too, and not in a commit of this clone alone. */
  readonly pushes: boolean;
  /** False to leave new values for a deploy of their own; old ones are ended all the same only when it is done. */
  readonly deploys: boolean;
  /** How many rotations may be begun; what is in flight does not count. */
  readonly limit: number;
}

export interface ProviderReport extends Omit<EndedRun<unknown>, "result"> {
  readonly results: readonly RotationResult[];
  /** Secrets that the limit left for the next run. */
  readonly postponed: readonly Address[];
  /** What was deployed. */
  readonly delivery?: Delivery | undefined;
}

const batchSize = 25;
const parallel = 8;

/**
 * Rotates what is selected at its providers, and goes on with what is in flight, on the branch
 * that the remote has. A dry run looks at everything and changes nothing anywhere.
 */
export async function rotateAtProviders(context: Context, asked: ProviderRotation): Promise<ProviderReport> {
  const { options, io, session } = context;
  if (!options.commit) {
    throw new SealtreeError("E_USAGE", "--no-commit does not go with a rotation at a provider", {
      hints: ["what is not recorded where it outlives this machine must not be changed at a provider"],
    });
  }
  const progress = startProgress(io.stderr);
  try {
    const work = async (run: RotationRun) => {
      const { requests, postponed, rotations } = await listRequests(run.branch.view().tree, asked, session.now());
      const results = options.dryRun
        ? await inspectRotations(run, requests, parallel)
        : await runRotations(run, requests, { batchSize, parallel }, ({ done, total }) =>
            progress.show(`rotating   ${done} of ${count(total, "secret")}`),
          );
      const generated = isGeneratedThere(asked) ? await generate(run, rotations, asked.urgency, options.dryRun) : [];
      // Programs take their values from the trunk, so what waits for a merge is not there to be sent.
      const sendable = asked.forMerge === undefined ? [...results, ...generated] : results;
      if (!options.dryRun) await deliverAll(run, sendable);
      return { results: [...results, ...generated], postponed };
    };
    const delivery = createDelivery(session, io.env, { sends: asked.deploys });
    const places = {
      forMerge: asked.forMerge,
      judge: branchJudge(context),
      delivery,
      isDryRun: options.dryRun,
      note: options.note,
    };
    const { result, ...where } = await withRotationRun(session, io.env, work, places);
    return { ...result, ...where, delivery };
  } finally {
    progress.end();
  }
}

/** True when what no provider knows is recorded at the remote with the rest. */
export function isGeneratedThere({ forMerge, pushes }: Pick<ProviderRotation, "forMerge" | "pushes">): boolean {
  return forMerge !== undefined || pushes;
}

/** The report of a run that could not ask the remote, so that nothing was done anywhere. */
export async function reportUnasked(
  context: Context,
  error: SealtreeError,
  addresses: readonly Address[],
): Promise<ProviderReport> {
  const { remote, branch } = await findRemoteBranch(context.place());
  return {
    results: addresses.map((address) => ({ address, outcome: toFailure(error, false) })),
    postponed: [],
    isAdvanced: true,
    branch: `${withoutUserInfo(remote)}/${branch}`,
    trunk: undefined,
    unmerged: undefined,
  };
}

/** Brings to their targets what is new, and what could not be brought there before. */
async function deliverAll({ branch, delivery }: RotationRun, results: readonly RotationResult[]): Promise<void> {
  const done = ["rotated", "in grace", "suspended", "awaits delivery"];
  const addresses = results.flatMap(({ address, outcome }) => (done.includes(outcome.kind) ? [address] : []));
  if (addresses.length > 0) await delivery?.deliver(branch.view(), addresses);
}

async function generate(
  run: RotationRun,
  rotations: readonly Rotation[],
  urgency: Urgency,
  isDryRun: boolean,
): Promise<RotationResult[]> {
  if (!isDryRun) return await recordGenerated(run, rotations, urgency);
  return rotations.map(({ entry }) => ({ address: entry.address, outcome: { kind: "ready", remarks: [] } }));
}

/**
 * Goes back to the credential that is in grace at its provider, or with `earlier` gives it those values
 * again. Throws E_ROLLBACK_REFUSED where that cannot be.
 */
export async function rollBackAtProvider(
  context: Context,
  address: Address,
  earlier?: EarlierValues,
): Promise<ProviderReport> {
  const { session, io } = context;
  const common = { address, urgency: "planned", isNamed: true } as const;
  const request: RotationRequest =
    earlier === undefined ? { ...common, wants: "previous value" } : { ...common, wants: "earlier value", earlier };
  const delivery = createDelivery(session, io.env, { sends: true });
  const work = async (run: RotationRun) => {
    const results = await runRotations(run, [request], { batchSize, parallel });
    await deliverAll(run, results);
    return results;
  };
  const ended = await withRotationRun(session, io.env, work, { delivery });
  return { ...ended, results: ended.result, postponed: [], delivery };
}

/** What is in flight first: it is what somebody waits for, and it holds a slot at its provider. */
async function listRequests(tree: Tree, asked: ProviderRotation, now: Date) {
  const { selection, urgency, mode, limit } = asked;
  const flights = [...(await listFlights(tree)).keys()].map((text) => parseAddress(text));
  const isNamed = selection.kind === "secret";
  const common = { urgency, isNamed, keepsGrace: asked.keepsGrace };
  const { entries } = await rotationStatus(tree, now);
  const { atProvider: chosen, rotations } =
    mode === "rotate" ? selectRotations(entries, selection, urgency) : { atProvider: [], rotations: [] };
  const wanted = new Map(chosen.map(({ address }) => [printAddress(address), address]));
  const begun = flights.filter((address) => isWithin(address, selection));
  const requests: RotationRequest[] = begun.map((address) => ({
    ...common,
    address,
    wants: mode === "abandon" ? mode : wanted.delete(printAddress(address)) ? "new value" : "finish",
    urgency: mode === "rotate" ? urgency : "planned",
  }));
  const fresh = [...wanted.values()];
  requests.push(...fresh.slice(0, limit).map((address) => ({ ...common, address, wants: "new value" as const })));
  return { requests, postponed: fresh.slice(limit), rotations };
}

function isWithin(address: Address, selection: Selection): boolean {
  if (selection.kind === "secret") return printAddress(address) === printAddress(selection.address);
  return selection.kind === "scope" ? address.scope === selection.scope : selection.kind !== "exposed";
}
