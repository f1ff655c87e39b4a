import { countValues, type AccessChange, type Reach } from "./report-access.ts";
import { compareText } from "../secret/text-order.ts";
import { shortList } from "./short-list.ts";

/** `1 secret`, `3 secrets`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${amount === 1 ? noun : `${noun}s`}`;
}

/**
 * `12 values in 3 scopes: dev/app, prod/api, prod/web`. More than `most` scopes are told by how they
 * begin, so that no environment hides behind `and 24 more`: `184 values in 29 scopes: 18 of dev, 11
 * of shared`.
 */
export function sayReach(reach: Reach, most = 5): string {
  const scopes = [...reach.keys()].sort(compareText);
  const amount = `${count(countValues(reach), "value")} in ${count(scopes.length, "scope")}`;
  if (scopes.length <= most) return `${amount}: ${scopes.join(", ")}`;
  const owners = new Map<string, string[]>();
  for (const scope of scopes) {
    const [owner = ""] = scope.split("/", 1);
    owners.set(owner, [...(owners.get(owner) ?? []), scope]);
  }
  const [only] = owners.keys();
  if (owners.size === 1) return `${amount} of ${only ?? ""}`;
  const parts = [...owners].map(([owner, [first = "", ...others]]) =>
    others.length === 0 ? first : `${others.length + 1} of ${owner}`,
  );
  return `${amount}: ${shortList(parts)}`;
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
