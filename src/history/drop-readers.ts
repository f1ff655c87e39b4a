import { listReaders } from "../access/permission.ts";
import { findPolicy, type Policy } from "../access/policy.ts";
import type { GitPlace } from "../git/place.ts";
import type { ScopePath } from "../secret/address.ts";
import { openCommitTree } from "../store/commit-tree.ts";
import { openWorkTree } from "../store/work-tree.ts";
import type { HistoryTraces } from "./history-traces.ts";

/**
 * Who could read a drop, as `name fingerprint`. A drop does not say whom it is sealed to; its
 * writer sealed it to the readers of its scope by the policy of the commit that brought it.
 */
export class DropReaders {
  readonly #place: GitPlace;
  readonly #traces: HistoryTraces;
  readonly #policies = new Map<number, Promise<Policy | undefined>>();

  constructor(place: GitPlace, traces: HistoryTraces) {
    this.#place = place;
    this.#traces = traces;
  }

  /** Undefined, with a warning, when there is no policy that can be read. */
  async listReaders(scope: ScopePath, at: number): Promise<readonly string[] | undefined> {
    const policy = this.#policies.get(at) ?? this.#readPolicy(at);
    this.#policies.set(at, policy);
    const found = await policy;
    return found === undefined
      ? undefined
      : listReaders(found, scope).map(({ name, fingerprint }) => `${name} ${fingerprint}`);
  }

  async #readPolicy(at: number): Promise<Policy | undefined> {
    const point = this.#traces.point(at);
    const commit = point === undefined ? undefined : await openCommitTree(this.#place, point.commit);
    try {
      const { policy } = await findPolicy(commit ?? openWorkTree(this.#place.root));
      if (policy === undefined)
        this.#traces.warn(`${this.#traces.sayCommit(at)}: no policy says who could read its drops`, { isGap: true });
      return policy;
    } finally {
      commit?.close();
    }
  }
}
