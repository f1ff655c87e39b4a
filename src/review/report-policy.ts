import { isAdmin } from "../access/permission.ts";
import { listKeyTexts } from "../access/member-file.ts";
import type { Grant, Member, Policy, Removal, Role } from "../access/policy.ts";
import { fingerprintOf } from "../crypto/recipient.ts";
import { compareText } from "../secret/text-order.ts";
import { shortList } from "./short-list.ts";

/** One thing that a policy says otherwise than before, in words. */
export interface PolicyChange {
  /** `attention` for what lets somebody do more, or asks for less. */
  readonly level: "attention" | "note";
  /** A sentence without its full stop. Names of members, roles and scopes only, and fingerprints. */
  readonly text: string;
}

/** How the access policy and the key files changed, in words. */
export function comparePolicies(before: Policy | undefined, after: Policy | undefined): PolicyChange[] {
  if (after === undefined) return [];
  if (before === undefined) {
    const admins = [...after.members.values()].filter((member) => isAdmin(after, member)).map(({ name }) => name);
    return [attention(`there was no policy; now ${shortList(admins)} may change it`)];
  }
  return [
    ...compareMembers(before, after),
    ...compareRoles(before, after),
    ...compareRecovery(before, after),
    ...compareRemovals(before.removed, after.removed, (name) => name),
    ...compareRemovals(before.removedKeys, after.removedKeys, (key) => `key ${key}`),
    ...compareSetting("post_quantum", ["off", "prefer", "require"], before.postQuantum, after.postQuantum),
    ...compareSetting("signing", ["off", "warn", "require"], before.signing, after.signing),
    ...(before.version === after.version ? [] : [note(`the version goes from ${before.version} to ${after.version}`)]),
  ];
}

function compareMembers(before: Policy, after: Policy): PolicyChange[] {
  const names = [...new Set([...before.members.keys(), ...after.members.keys()])].sort(compareText);
  return names.flatMap((name) => {
    const [old, now] = [before.members.get(name), after.members.get(name)];
    if (old === undefined && now !== undefined) {
      const kind = now.kind === "machine" ? "a machine" : "a person";
      const admin = isAdmin(after, now) ? ", and may change the policy" : "";
      return [attention(`${name} joins: ${kind}, ${now.roles.join(", ")}${admin}`)];
    }
    if (old !== undefined && now === undefined) return [note(`${name} leaves (${old.roles.join(", ")})`)];
    if (old === undefined || now === undefined) return [];
    return compareMember(old, now, isAdmin(before, old), isAdmin(after, now));
  });
}

function compareMember(old: Member, now: Member, wasAdmin: boolean, isNowAdmin: boolean): PolicyChange[] {
  const { name } = now;
  const roles = diff(old.roles, now.roles);
  return [
    ...(roles.added.length > 0 ? [attention(`${name} gets the ${plural("role", roles.added)}`)] : []),
    ...(roles.removed.length > 0 ? [note(`${name} loses the ${plural("role", roles.removed)}`)] : []),
    ...(!wasAdmin && isNowAdmin ? [attention(`${name} may now change the policy`)] : []),
    ...(wasAdmin && !isNowAdmin ? [note(`${name} may no longer change the policy`)] : []),
    ...(old.kind === now.kind ? [] : [attention(`${name} is now a ${now.kind}, and was a ${old.kind}`)]),
    ...(old.github === now.github
      ? []
      : [attention(`${name} is now ${now.github ?? "nobody"} on GitHub, and was ${old.github ?? "nobody"}`)]),
    ...compareKeys(name, old, now),
  ];
}

/** A key that is added to a name opens all that the name opens, and the name stays the same: that is easy to miss. */
function compareKeys(name: string, old: Member, now: Member): PolicyChange[] {
  const print = (texts: readonly string[]) => texts.map(fingerprintOf);
  const texts = ({ recipients }: Member) => recipients.map(({ text }) => text);
  const reading = diff(print(texts(old)), print(texts(now)));
  const signing = diff(print(old.signingKeys), print(now.signingKeys));
  const all = diff(print(listKeyTexts(old)), print(listKeyTexts(now)));
  return [
    ...reading.added.map((key) => attention(`${name} gets another key that reads: ${key}`)),
    ...signing.added.map((key) => attention(`${name} gets another key that signs: ${key}`)),
    ...all.removed.map((key) => note(`${name} loses the key ${key}`)),
  ];
}

function compareRoles(before: Policy, after: Policy): PolicyChange[] {
  const names = [...new Set([...before.roles.keys(), ...after.roles.keys()])].sort(compareText);
  return names.flatMap((name) => {
    const [old, now] = [before.roles.get(name), after.roles.get(name)];
    if (now === undefined) return [note(`the role ${name} is gone`)];
    if (old === undefined) return [attention(`there is a new role ${name}: ${sayRole(now)}`)];
    const grants = diff(old.grants.map(sayGrant), now.grants.map(sayGrant));
    return [
      ...grants.added.map((grant) => attention(`the role ${name} may now ${grant}`)),
      ...grants.removed.map((grant) => note(`the role ${name} may no longer ${grant}`)),
      ...(old.isAdmin === now.isAdmin
        ? []
        : [
            now.isAdmin
              ? attention(`the role ${name} may now change the policy`)
              : note(`the role ${name} may no longer change the policy`),
          ]),
    ];
  });
}

function compareRecovery(before: Policy, after: Policy): PolicyChange[] {
  const names = diff([...before.recovery.keys()], [...after.recovery.keys()]);
  const prints = (policy: Policy, name: string) =>
    (policy.recovery.get(name) ?? []).map(({ text }) => fingerprintOf(text));
  const kept = [...after.recovery.keys()].filter((name) => before.recovery.has(name));
  return [
    ...names.added.map((name) => attention(`the recovery key ${name} is wrapped into every scope`)),
    ...names.removed.map((name) => attention(`the recovery key ${name} is gone`)),
    ...kept.flatMap((name) => {
      const { added, removed } = diff(prints(before, name), prints(after, name));
      return added.length + removed.length === 0 ? [] : [attention(`the recovery key ${name} is another one`)];
    }),
  ];
}

function compareRemovals(
  before: ReadonlyMap<string, Removal>,
  after: ReadonlyMap<string, Removal>,
  say: (name: string) => string,
): PolicyChange[] {
  return [...after].flatMap(([name, { readmitted }]) => {
    if (readmitted === undefined || before.get(name)?.readmitted === readmitted) return [];
    return [attention(`${say(name)} was removed, and is let in again`)];
  });
}

/** `steps` from the weakest to the strongest. */
function compareSetting(name: string, steps: readonly string[], before: string, after: string): PolicyChange[] {
  if (before === after) return [];
  const text = `${name} goes from ${before} to ${after}`;
  return [steps.indexOf(after) < steps.indexOf(before) ? attention(text) : note(text)];
}

function sayRole({ isAdmin: mayChange, grants }: Role): string {
  return [...grants.map(sayGrant), ...(mayChange ? ["change the policy"] : [])].join("; ") || "nothing";
}

function sayGrant({ allow, scopes }: Grant): string {
  return `${allow.join(", ")} in ${scopes.join(", ")}`;
}

function plural(noun: string, words: readonly string[]): string {
  return `${noun}${words.length === 1 ? "" : "s"} ${words.join(", ")}`;
}

function diff(before: readonly string[], after: readonly string[]) {
  return {
    added: [...new Set(after)].filter((text) => !before.includes(text)),
    removed: [...new Set(before)].filter((text) => !after.includes(text)),
  };
}

function attention(text: string): PolicyChange {
  return { level: "attention", text };
}

function note(text: string): PolicyChange {
  return { level: "note", text };
}
