/** What decides when a target's turn is. */
export interface Ordered {
  readonly name: string;
  /** Targets that come before it. */
  readonly after: readonly string[];
  /** Whether it comes before all that are none. */
  readonly isCanary: boolean;
}

/** What is wrong with the order of targets: one that is not there, a circle, a canary that waits for what waits for it. */
export function findOrderProblems(targets: readonly Ordered[]): { name: string; message: string }[] {
  const byName = new Map(targets.map((target) => [target.name, target]));
  return targets.flatMap((target) => {
    const others = target.after.map((name) => byName.get(name));
    if (others.includes(undefined))
      return [{ name: target.name, message: "it comes after a target that is not there" }];
    if (target.isCanary && others.some((other) => other?.isCanary === false))
      return [{ name: target.name, message: "a canary comes first, so it can only come after another canary" }];
    return comesAfter(target.name, target.name, byName)
      ? [{ name: target.name, message: "it comes after itself" }]
      : [];
  });
}

/**
 * Targets in the order they are deployed: groups, each to be begun when the one before is over.
 * Canaries have groups of their own before all others. `after` counts among those that are given.
 */
export function orderTargets<T extends Ordered>(targets: readonly T[]): T[][] {
  const groups: T[][] = [];
  const placed = new Set<string>();
  const left = [...targets.filter(({ isCanary }) => isCanary), ...targets.filter(({ isCanary }) => !isCanary)];
  while (left.length > 0) {
    const names = new Set(left.map(({ name }) => name));
    const [first] = left;
    const ready = left.filter(
      ({ after, isCanary }) =>
        isCanary === first?.isCanary && !after.some((name) => names.has(name) && !placed.has(name)),
    );
    if (ready.length === 0) throw new Error("the order of the targets has a circle");
    groups.push(ready);
    for (const target of ready) {
      placed.add(target.name);
      left.splice(left.indexOf(target), 1);
    }
  }
  return groups;
}

function comesAfter(name: string, wanted: string, byName: ReadonlyMap<string, Ordered>): boolean {
  const seen = new Set<string>();
  const open = [...(byName.get(name)?.after ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === wanted) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...(byName.get(next)?.after ?? []));
  }
  return false;
}
