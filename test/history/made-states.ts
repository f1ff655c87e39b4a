import fc from "fast-check";
import { isDeepStrictEqual } from "node:util";
import { parseScopePath } from "../../src/secret/address.ts";
import { printScopeFile } from "../../src/store/scope-file.ts";
import { makeGeneration } from "./made-generations.ts";
import { makeEntries, makeRecord } from "./made-records.ts";

export const scope = parseScopePath("dev/app");
const generation = "0".repeat(31) + "7";
export const paths = {
  scope: "secrets/dev/app.yaml",
  generation: `secrets/dev/app.keys/${generation}.yaml`,
  policy: "policies/access.yaml",
  rotation: "policies/rotation.yaml",
  member: "policies/members/alice.pub",
} as const;

/** What a branch has of everything that merges. Members and grants are small numbers and letters. */
export interface State {
  /** Name to value. */
  readonly values: Readonly<Record<string, number>>;
  readonly readers: readonly string[];
  readonly seal: number;
  readonly keys: readonly string[];
  readonly version: number;
  readonly members: Readonly<Record<string, string>>;
  readonly grants: readonly string[];
  /** Name to day of removal. */
  readonly removed: Readonly<Record<string, number>>;
  readonly rules: Readonly<Record<string, number>>;
}

const names = ["A", "B", "C", "D"];
const few = { maxLength: 3 };
/** Plain objects all: one without a prototype is unequal to its twin, as the model compares them. */
const plain = { noNullPrototype: true };
const numbers = (from: readonly string[], max: number) =>
  fc.dictionary(fc.constantFrom(...from), fc.integer({ min: 1, max }), { ...plain, maxKeys: from.length });

const state: fc.Arbitrary<State> = fc.record({
  values: numbers(names, 3),
  readers: fc.subarray(["b", "c"]).map((more) => ["a", ...more]),
  seal: fc.integer({ min: 1, max: 3 }),
  keys: fc.subarray(["age1test-b", "age1test-c", "age1test-d"], few).map((more) => ["age1test-a", ...more]),
  version: fc.integer({ min: 2, max: 4 }),
  members: fc.dictionary(fc.constantFrom("bob", "carol", "dan"), fc.constantFrom("boss", "dev"), plain),
  grants: fc.subarray(["w", "x", "y", "z"], few),
  removed: numbers(["gone", "lost"], 3),
  rules: numbers(names, 3),
});

/** Three branches of which two grew out of the first: most of it is alike. */
export const branches: fc.Arbitrary<{ base: State; ours: State; theirs: State }> = fc
  .tuple(
    state,
    state,
    state,
    fc.array(fc.constantFrom("base", "ours", "theirs", "other"), { minLength: 18, maxLength: 18 }),
  )
  .map(([base, one, other, picks]) => {
    const fields = Object.keys(base) as (keyof State)[];
    const grow = (from: State, offset: number): State => {
      const grown = fields.map((field, index) => [
        field,
        picks[index * 2 + offset] === "base" ? base[field] : from[field],
      ]);
      const { version } = base;
      const child = Object.fromEntries(grown) as unknown as State;
      // A generation that has other readers has another seal, and a changed policy another version.
      const isWrapped = !isDeepStrictEqual(child.readers, base.readers);
      // What was removed stays in the list.
      const removed = { ...base.removed, ...child.removed };
      return {
        ...child,
        removed,
        seal: isWrapped ? child.seal + 3 * (offset + 1) : child.seal,
        version: Math.max(version, child.version),
      };
    };
    return { base, ours: grow(one, 0), theirs: grow(other, 1) };
  });

/** A state as files, each as it is always written. */
export function printState(of: State): Record<string, string> {
  const lines = (entries: Readonly<Record<string, string | number>>, line: (key: string, value: string) => string) =>
    Object.keys(entries)
      .toSorted()
      .map((key) => line(key, String(entries[key])))
      .join("");
  const records = Object.fromEntries(Object.entries(of.values).map(([name, value]) => [name, makeRecord(value, 1)]));
  return {
    [paths.scope]: printScopeFile(scope, makeEntries(records)),
    [paths.generation]: makeGeneration(scope, generation, of.readers.join(""), of.seal),
    [paths.member]: of.keys.map((key) => `${key}\n`).join(""),
    [paths.policy]: [
      `# Who may do what.\nversion: ${of.version} # raise it\n\nmembers:\n  alice: { roles: [boss] }\n`,
      lines(of.members, (name, role) => `  ${name}: { roles: [${role}] }\n`),
      "\nroles:\n  boss: { admin: true }\n  dev:\n    grants:\n      - { scopes: [all], allow: [read] }\n",
      of.grants.map((grant) => `      - { scopes: ["${grant}/**"], allow: [read] }\n`).join(""),
      "removed:\n  first: { version: 1, at: 2026-01-01 }\n",
      lines(of.removed, (name, day) => `  ${name}: { version: 2, at: 2026-01-0${day} }\n`),
    ].join(""),
    [paths.rotation]: `secrets:\n  dev/app/Z: { interval: 1d }\n${lines(of.rules, (name, days) => `  dev/app/${name}: { interval: ${days}d }\n`)}`,
  };
}

/** What the merge of three states must be. */
export interface Model {
  readonly values: Readonly<Record<string, number>>;
  readonly keys: readonly string[];
  readonly version: number;
  readonly members: Readonly<Record<string, string>>;
  /** Undefined where both sides rewrote one. */
  readonly grants: readonly string[] | undefined;
  readonly removed: Readonly<Record<string, number>>;
  readonly rules: Readonly<Record<string, number>>;
  /** The readers of the file that is kept; undefined where it is neither. */
  readonly readers: readonly string[] | undefined;
  /** Path to names of what both changed, sorted. */
  readonly conflicts: Readonly<Record<string, readonly string[]>>;
}

/** Says it in the plainest way there is: what did each side do with each thing? */
export function modelMerge(base: State, ours: State, theirs: State): Model {
  const mapOf = <T>(key: "values" | "members" | "rules", prefix: string) => {
    const [was, mine, yours] = [base[key], ours[key], theirs[key]] as Readonly<Record<string, T>>[];
    const merged: Record<string, T> = {};
    const conflicts: string[] = [];
    for (const name of Object.keys({ ...was, ...mine, ...yours }).toSorted()) {
      const [a, b, c] = [was?.[name], mine?.[name], yours?.[name]];
      const value = b === c || a === c ? b : c;
      if (a !== b && a !== c && b !== c) conflicts.push(prefix + name);
      else if (value !== undefined) merged[name] = value;
    }
    return { merged, conflicts };
  };
  const listOf = (key: "keys" | "grants" | "readers") =>
    [...new Set([...base[key], ...ours[key], ...theirs[key]])]
      .filter((item) => {
        const [a, b, c] = [base, ours, theirs].map((of) => of[key].includes(item));
        return a === true ? b && c : b === true || c;
      })
      .toSorted();
  const without = (of: State) => base.grants.filter((grant) => !of.grants.includes(grant));
  const adds = (of: State) => of.grants.some((grant) => !base.grants.includes(grant));
  const isRewritten = without(ours).some((grant) => without(theirs).includes(grant)) && (adds(ours) || adds(theirs));
  const isSameGrants = isDeepStrictEqual(ours.grants, theirs.grants);
  const removed = Object.keys({ ...base.removed, ...ours.removed, ...theirs.removed }).map((name) => {
    const [a, b, c] = [base.removed[name], ours.removed[name], theirs.removed[name]];
    const value = b === undefined ? (c ?? a) : c === undefined || c === a ? b : b === a ? c : Math.min(b, c);
    return [name, value ?? 0] as const;
  });
  const policyOf = ({ members, grants, removed: gone }: State) => ({ members, grants, gone });
  const isSamePolicy = isDeepStrictEqual(policyOf(ours), policyOf(theirs));
  const isRaisedTwice = ours.version !== base.version && theirs.version !== base.version;
  const [values, members, rules] = [
    mapOf<number>("values", ""),
    mapOf<string>("members", "members."),
    mapOf<number>("rules", "secrets.dev/app/"),
  ];
  const readers = listOf("readers");
  const isOneOf = [ours, theirs].some((of) => isDeepStrictEqual(of.readers.toSorted(), readers));
  const grants = isRewritten && !isSameGrants ? undefined : listOf("grants");
  return {
    values: values.merged,
    keys: listOf("keys"),
    version: Math.max(ours.version, theirs.version) + (isRaisedTwice && !isSamePolicy ? 1 : 0),
    members: members.merged,
    grants,
    removed: Object.fromEntries(removed),
    rules: rules.merged,
    readers: isOneOf ? readers : undefined,
    conflicts: Object.fromEntries(
      [
        [paths.scope, values.conflicts],
        [paths.policy, [...members.conflicts, ...(grants === undefined ? ["roles.dev"] : [])]],
        [paths.rotation, rules.conflicts],
        [paths.generation, isOneOf ? [] : [paths.generation]],
      ].filter(([, list]) => list?.length),
    ) as Model["conflicts"],
  };
}
