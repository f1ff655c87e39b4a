import { countValues, type AccessChange, type Reach } from "./report-access.ts";
import { shortList } from "./short-list.ts";

/** `1 secret`, `3 secrets`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${amount === 1 ? noun : `${noun}s`}`;
}

/** `12 values in 3 scopes: prod/api, prod/web, dev/app`; the scopes with most values come first. */
export function sayReach(reach: Reach, most = 5): string {
  const scopes = [...reach].sort(([, a], [, b]) => b - a).map(([scope]) => scope);
  return `${count(countValues(reach), "value")} in ${count(scopes.length, "scope")}: ${shortList(scopes, most)}`;
}

/** `bob`, or `the recovery key recovery`. */
export function sayWho({ name, kind }: Pick<AccessChange, "name" | "kind">): string {
  if (kind === "machine") return `the machine ${name}`;
  if (kind === "recovery") return `the recovery key ${name}`;
  return kind === "stranger" ? `${name} (no member)` : name;
}

/**
 * What changes for somebody, one sentence each without full stop: `carol gains 12 values in 3
 * scopes: prod/api, ...`. Policy and keyrings are told apart where they differ.
 */
export function sayAccess(change: AccessChange): string[] {
  const who = sayWho(change);
  const say = (verb: string, reach: Reach, note: string) =>
    reach.size === 0 ? [] : [`${who} ${verb} ${sayReach(reach)}${note === "" ? "" : ` (${note})`}`];
  const sayBoth = (verb: string, policy: Reach | undefined, keyrings: Reach) => {
    if (policy === undefined) return say(verb, keyrings, "by the keyrings");
    if (sameReach(policy, keyrings)) return say(verb, policy, "");
    return [
      ...say(verb, policy, keyrings.size === 0 ? "by the policy; the keyrings have not followed" : "by the policy"),
      ...say(verb, keyrings, policy.size === 0 ? "by the keyrings; the policy does not say so" : "by the keyrings"),
    ];
  };
  return [
    ...sayBoth("gains", change.byPolicy?.gained, change.byKeyrings.gained),
    ...sayBoth("loses", change.byPolicy?.lost, change.byKeyrings.lost),
  ];
}

function sameReach(a: Reach, b: Reach): boolean {
  return a.size === b.size && [...a].every(([scope, values]) => b.get(scope) === values);
}
