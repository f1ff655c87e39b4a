import { listReaders } from "../access/permission.ts";
import type { Policy } from "../access/policy.ts";
import type { GitPlace } from "../git/place.ts";
import type { ScopePath } from "../secret/address.ts";
import { readKeyring } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { DropReaders } from "./drop-readers.ts";
import type { HistoryPoint, HistoryTraces } from "./history-traces.ts";
import { readLiveValues, type LiveValue } from "./live-values.ts";
import { readReadableHistory, type HistoryRange } from "./readable-history.ts";
import { splitReader } from "./scan-readers.ts";
import { isSubject, resolveSubject, type Subject, type SubjectQuery } from "./exposure-subject.ts";

/** A live value that somebody could read at some time. */
export interface ExposedValue extends LiveValue {
  /** The first commit whose history had all it takes to read it; undefined when that is not committed. */
  readonly firstReadable: HistoryPoint | undefined;
  /** True when the policy still lets them read the scope. */
  readonly canStillRead: boolean;
  /** True when a generation of the scope is still wrapped for them, whatever the policy says. */
  readonly isStillWrapped: boolean;
  /** The commit that took them out of the keyring; undefined while they are in it, and when none did. */
  readonly lost: HistoryPoint | undefined;
}

export interface Exposure {
  readonly subject: Subject;
  /** Sorted by scope and name. */
  readonly exposed: readonly ExposedValue[];
  /** How many live secrets had a value that they could read, and have another now. */
  readonly rotatedSince: number;
  readonly isComplete: boolean;
  readonly warnings: readonly string[];
}

export interface ExposureRequest extends HistoryRange {
  readonly who: SubjectQuery;
  /** The present policy. */
  readonly policy: Policy;
  /** The work tree. */
  readonly tree: Tree;
  /** Which scopes are looked at; all without. */
  readonly includes?: ((scope: ScopePath) => boolean) | undefined;
}

/**
 * What somebody could ever read of what is in force now, in HEAD and in the work tree. A value is
 * exposed when a record with its value id ever stood, in any scope, under a generation whose file
 * ever named them in one of its lists, or in a drop that was sealed to them: every clone has all
 * of the history, so the order of the commits does not matter. Needs no key. Throws
 * E_MEMBER_NOT_FOUND.
 */
export async function findExposure(place: GitPlace, request: ExposureRequest): Promise<Exposure> {
  const { policy } = request;
  const traces = await readReadableHistory(place, request);
  const live = await readLiveValues(place, traces, { from: request.from, withWorkTree: true });
  const subject = resolveSubject(request.who, policy, traces);
  const knowledge = new Knowledge(subject, traces, new DropReaders(place, traces));
  const scopes = new Map<ScopePath, Promise<ScopeAccess>>();
  const exposed: ExposedValue[] = [];
  const rotated = new Set<string>();
  for (const value of live) {
    if (request.includes?.(value.scope) === false) continue;
    warnOfUnknown(value, traces);
    const first = await knowledge.readableSince(value.valueId);
    if (first === undefined) {
      if (await knowledge.knowsAny(traces.past.get(`${value.scope}/${value.name}`)))
        rotated.add(`${value.scope}/${value.name}`);
      continue;
    }
    const access = scopes.get(value.scope) ?? readAccess(request, subject, traces, value.scope);
    scopes.set(value.scope, access);
    exposed.push({ ...value, firstReadable: traces.point(first), ...(await access) });
  }
  for (const { scope, name } of exposed) rotated.delete(`${scope}/${name}`);
  const { warnings, isComplete } = traces;
  return { subject, exposed, rotatedSince: rotated.size, isComplete, warnings };
}

type ScopeAccess = Pick<ExposedValue, "canStillRead" | "isStillWrapped" | "lost">;

async function readAccess(
  { policy, tree }: ExposureRequest,
  subject: Subject,
  traces: HistoryTraces,
  scope: ScopePath,
): Promise<ScopeAccess> {
  const canStillRead = listReaders(policy, scope).some((reader) => isSubject(subject, reader));
  const isStillWrapped = [...(await readKeyring(tree, scope)).values()].some(({ wrappedFor }) =>
    [...wrappedFor].some(([name, prints]) => prints.some((fingerprint) => isSubject(subject, { name, fingerprint }))),
  );
  const lost = isStillWrapped ? undefined : findLoss(subject, traces, scope);
  return { canStillRead, isStillWrapped, lost: lost === undefined ? undefined : traces.point(lost) };
}

/** The last commit that took the subject out of a generation of a scope. */
function findLoss(subject: Subject, traces: HistoryTraces, ofScope: ScopePath): number | undefined {
  const losses = [...traces.generations.values()].flatMap(({ scope, readers }) =>
    scope !== ofScope
      ? []
      : [...readers].flatMap(([reader, { lost }]) =>
          lost !== undefined && isSubject(subject, splitReader(reader)) ? [lost] : [],
        ),
  );
  return losses.reduce<number | undefined>((last, at) => (last === undefined || at > last ? at : last), undefined);
}

/** What a subject could ever read. */
class Knowledge {
  readonly #subject: Subject;
  readonly #traces: HistoryTraces;
  readonly #drops: DropReaders;
  readonly #generations = new Map<string, number | undefined>();

  constructor(subject: Subject, traces: HistoryTraces, drops: DropReaders) {
    this.#subject = subject;
    this.#traces = traces;
    this.#drops = drops;
  }

  /** The first commit by which the value could be read; undefined when it never could. */
  async readableSince(valueId: string): Promise<number | undefined> {
    const trace = this.#traces.values.get(valueId);
    const found: number[] = [];
    for (const [generation, sealed] of trace?.seals ?? []) {
      const known = this.#knownSince(generation);
      if (known !== undefined) found.push(Math.max(sealed, known));
    }
    for (const [scope, dropped] of trace?.drops ?? []) {
      const readers = await this.#drops.listReaders(scope, dropped);
      // Without a policy nobody can say who could not read it.
      if (readers === undefined || readers.some((reader) => isSubject(this.#subject, splitReader(reader))))
        found.push(dropped);
    }
    return least(found);
  }

  async knowsAny(valueIds: ReadonlySet<string> | undefined): Promise<boolean> {
    for (const valueId of valueIds ?? []) if ((await this.readableSince(valueId)) !== undefined) return true;
    return false;
  }

  #knownSince(generation: string): number | undefined {
    if (this.#generations.has(generation)) return this.#generations.get(generation);
    const readers = this.#traces.generations.get(generation)?.readers ?? new Map<never, never>();
    const firsts = [...readers].filter(([reader]) => isSubject(this.#subject, splitReader(reader)));
    const since = least(firsts.map(([, { first }]) => first));
    this.#generations.set(generation, since);
    return since;
  }
}

/** Math.min for lists of any length. */
function least(numbers: readonly number[]): number | undefined {
  return numbers.reduce<number | undefined>(
    (known, one) => (known === undefined || one < known ? one : known),
    undefined,
  );
}

function warnOfUnknown({ scope, name, generation }: LiveValue, traces: HistoryTraces): void {
  if (generation === undefined || traces.generations.has(generation)) return;
  traces.warn(`${scope}/${name} is sealed under a generation that the history does not have`, { isGap: true });
}
