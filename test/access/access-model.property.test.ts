import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, it } from "vitest";
import { findDrift } from "../../src/access/drift.ts";
import { planRekeys } from "../../src/access/plan-rekeys.ts";
import { loadPolicy } from "../../src/access/policy.ts";
import type { RekeyOptions } from "../../src/access/rekey.ts";
import type { Session } from "../../src/access/session.ts";
import { generateIdentity, parseIdentities } from "../../src/crypto/identity.ts";
import { openRecord, parseRecordHeader } from "../../src/crypto/record.ts";
import { mergeGenerations } from "../../src/history/merge-generation.ts";
import { mergeScopes } from "../../src/history/merge-scope.ts";
import { parseScopePath, parseSecretName, type ScopePath, type SecretName } from "../../src/secret/address.ts";
import { Secret } from "../../src/secret/secret.ts";
import { parseGenerationFile } from "../../src/store/generation-file.ts";
import { readKeyring, readScope } from "../../src/store/keyring.ts";
import { generationPath, parseSecretsPath, scopeFilePath } from "../../src/store/layout.ts";
import { openGeneration } from "../../src/store/open-generation.ts";
import { printScopeFile } from "../../src/store/scope-file.ts";
import { planScopeChange } from "../../src/values/change-scope.ts";
import { applyTo, memoryTree } from "./memory-tree.ts";

/** ACCESS_MODEL_RUNS=1000 tries more; a failure prints its seed, and ACCESS_MODEL_SEED tries that one again. */
const runs = Number(process.env["ACCESS_MODEL_RUNS"] ?? "30");
const seed = process.env["ACCESS_MODEL_SEED"];

const scopes = ["dev/app", "prod/api"].map(parseScopePath);
const names = ["A", "B", "C"].map(parseSecretName);
const others = ["bob", "carol", "dave"] as const;
const everybody = ["alice", ...others] as const;
type Person = (typeof everybody)[number];

/** What somebody may read: nothing, dev, or all. */
type Reach = "none" | "dev" | "all";
type Team = Readonly<Record<Person, Reach>>;
type Files = Readonly<Record<string, string>>;

/** One branch: its newest tree, and its policy in short. */
interface Branch {
  readonly files: Files;
  readonly team: Team;
  /** Every tree it ever was. */
  readonly past: readonly Files[];
}

type Step =
  | { readonly kind: "set"; readonly scope: ScopePath; readonly name: SecretName }
  | { readonly kind: "grant"; readonly who: Person; readonly reach: Reach; readonly rekeys: boolean }
  | { readonly kind: "rekey" }
  | { readonly kind: "mint"; readonly scope: ScopePath }
  | { readonly kind: "revert"; readonly pick: number };
type Move = Step | { readonly kind: "merge"; readonly ours: readonly Step[]; readonly theirs: readonly Step[] };

/**
 * The reference: who was given which key, from the policy and nothing else. Rekeying gives every
 * key of a scope to its readers of that moment, a new key is for its readers, and nobody
 * forgets. Names of generations are all it takes from the files.
 */
class Reference {
  readonly #given = new Map<string, Set<Person>>();

  readers({ team }: Branch, scope: ScopePath): Person[] {
    return everybody.filter((name) => team[name] === "all" || (team[name] === "dev" && scope.startsWith("dev/")));
  }

  /** Notes what a step gave: all keys of these scopes, or those alone that were not there `before`. */
  give(branch: Branch, of: readonly ScopePath[], before: Files = {}): void {
    for (const scope of of) {
      for (const path of Object.keys(branch.files)) {
        const parsed = parseSecretsPath(path);
        if (parsed?.kind !== "generation" || parsed.scope !== scope || before[path] !== undefined) continue;
        const given = this.#given.get(parsed.generation) ?? new Set();
        this.#given.set(parsed.generation, given);
        for (const name of this.readers(branch, scope)) given.add(name);
      }
    }
  }

  opens(name: Person, generation: string): boolean {
    return this.#given.get(generation)?.has(name) === true;
  }
}

const keys = new Map(
  await Promise.all(
    everybody.map(async (name, index) => {
      const { identity, recipient } = await generateIdentity("x25519", (size) => Buffer.alloc(size, index + 1));
      return [name, { identities: parseIdentities(identity), text: recipient.text }] as const;
    }),
  ),
);

/** Branches moved by the product's own functions, and every tree that any of them ever was. */
class World {
  readonly reference = new Reference();
  readonly #trees: Files[] = [];
  readonly #texts = new Map<string, string>();
  /** What a person opened of the versions of a generation file, by person and version. */
  readonly #opened = new Map<string, Uint8Array | undefined>();
  #randomCalls = 0;
  #values = 0;

  readonly #session: Session = {
    place: { root: "/nonexistent", env: {} },
    random: (size) =>
      createHash("shake256", { outputLength: size })
        .update(String((this.#randomCalls += 1)))
        .digest(),
    now: () => new Date("2026-01-01T00:00:00Z"),
    identities: () => Promise.resolve(identitiesOf("alice")),
    plugins: () => Promise.reject(new Error("no plugin here")),
  };

  async start(): Promise<Branch> {
    const team: Team = { alice: "all", bob: "all", carol: "dev", dave: "none" };
    const empty = Object.fromEntries(scopes.map((scope) => [scopeFilePath(scope), printScopeFile(scope, new Map())]));
    return await this.rekey({ files: withPolicy(empty, team), team, past: [] }, scopes, "if-needed");
  }

  async move(branch: Branch, move: Move): Promise<Branch> {
    if (move.kind !== "merge") return await this.step(branch, move);
    let [ours, theirs] = [branch, branch];
    for (const step of move.ours) ours = await this.step(ours, step);
    for (const step of move.theirs) theirs = await this.step(theirs, step);
    return this.#commit(await merge(branch, ours, theirs, this.reference));
  }

  async step(branch: Branch, step: Step): Promise<Branch> {
    switch (step.kind) {
      case "set":
        return await this.#set(branch, step.scope, step.name);
      case "grant": {
        const team = { ...branch.team, [step.who]: step.reach };
        const edited = { ...branch, files: withPolicy(branch.files, team), team };
        // On a tree that check refuses, since a merge lost a stanza, nothing is committed but its repair.
        const rekeys = step.rekeys || (await this.#lacksStanzas(branch));
        return rekeys ? await this.rekey(edited, scopes, "if-needed", branch) : this.#commit(edited);
      }
      case "rekey":
        return await this.rekey(branch, scopes, "if-needed");
      case "mint":
        return await this.rekey(branch, [step.scope], "always");
      case "revert":
        return this.#commit(await revert(branch, this.#trees, step.pick));
    }
  }

  /** Rekeys on top of `head`, the last commit. */
  async rekey(
    branch: Branch,
    of: readonly ScopePath[],
    mint: RekeyOptions["mint"],
    head: Branch = branch,
  ): Promise<Branch> {
    const tree = memoryTree(branch.files);
    const former = { policy: await loadPolicy(memoryTree(head.files)), files: new Set(Object.keys(head.files)) };
    const planned = await planRekeys(this.#session, await loadPolicy(tree), tree, of, { mint, former });
    const files = applyTo(
      branch.files,
      planned.flatMap((plan) => plan.files),
    );
    const next = this.#commit({ ...branch, files });
    this.reference.give(next, of);
    return next;
  }

  async #lacksStanzas({ files }: Branch): Promise<boolean> {
    const tree = memoryTree(files);
    const policy = await loadPolicy(tree);
    const drifts = await Promise.all(
      scopes.map(async (scope) => findDrift(policy, scope, await readKeyring(tree, scope), new Map())),
    );
    return drifts.some(({ missing }) => missing.length > 0);
  }

  async #set(branch: Branch, scope: ScopePath, name: SecretName): Promise<Branch> {
    const text = `test-value-${(this.#values += 1)}`;
    const tree = memoryTree(branch.files);
    const changes = new Map([[name, { action: "set", secret: Secret.text(text) } as const]]);
    const plan = await planScopeChange(this.#session, await loadPolicy(tree), tree, { scope, changes }, "record");
    const next = this.#commit({ ...branch, files: applyTo(branch.files, plan.files) });
    this.reference.give(next, [scope], branch.files);
    const record = (await readScope(memoryTree(next.files), scope))?.get(name)?.record ?? "";
    this.#texts.set(parseRecordHeader(record).valueId, text);
    const readers = this.reference.readers(next, scope);
    const openers = await this.openers(scope, name, record, next.past);
    const strangers = openers.filter((person) => !readers.includes(person));
    demandSame(strangers, [], `who may not read and opens ${scope}/${name}`);
    return next;
  }

  #commit(branch: Branch): Branch {
    this.#trees.push(branch.files);
    return { ...branch, past: [...branch.past, branch.files] };
  }

  /** Who really opens a record, with whatever any of the trees has for them. The value must be the one that was set. */
  async openers(
    scope: ScopePath,
    name: SecretName,
    record: string,
    trees: readonly Files[] = this.#trees,
  ): Promise<Person[]> {
    const { generation, valueId } = parseRecordHeader(record);
    const path = generationPath(scope, generation);
    const versions = new Set(trees.map((files) => files[path] ?? ""));
    const openers: Person[] = [];
    for (const person of everybody) {
      let dek: Uint8Array | undefined;
      for (const version of versions) dek ??= await this.#dekOf(person, scope, generation, version);
      if (dek === undefined) continue;
      const text = openRecord(dek, { scope, name, purpose: "value" }, record).revealText();
      demandSame([text], [this.#texts.get(valueId)], `the value of ${scope}/${name}`);
      openers.push(person);
    }
    return openers;
  }

  async #dekOf(person: Person, scope: ScopePath, id: string, version: string): Promise<Uint8Array | undefined> {
    const key = `${person} ${version}`;
    if (version !== "" && !this.#opened.has(key)) {
      const file = parseGenerationFile(Buffer.from(version), scope, id);
      this.#opened.set(key, (await openGeneration(scope, file, identitiesOf(person)))?.dek);
    }
    return this.#opened.get(key);
  }

  /** Every record of every tree opens for whom the reference says, and for nobody else. */
  async checkAll(): Promise<void> {
    const seen = new Set<string>();
    for (const files of this.#trees) {
      for (const [scope, name, record] of await listRecords(files)) {
        if (seen.has(record)) continue;
        seen.add(record);
        const { generation } = parseRecordHeader(record);
        const due = everybody.filter((person) => this.reference.opens(person, generation));
        demandSame(await this.openers(scope, name, record), due, `who opens ${scope}/${name}`);
      }
    }
  }

  /** What somebody opens who may not read is reported, without a key. */
  async checkReported(branch: Branch): Promise<void> {
    const tree = memoryTree(branch.files);
    const policy = await loadPolicy(tree);
    for (const scope of scopes) {
      const records = (await listRecords(branch.files)).filter((item) => item[0] === scope);
      const sealedUnder = new Map(records.map(([, name, record]) => [name, parseRecordHeader(record).generation]));
      const { stale } = findDrift(policy, scope, await readKeyring(tree, scope), sealedUnder);
      const readers = this.reference.readers(branch, scope);
      for (const [, name, record] of records) {
        const strangers = (await this.openers(scope, name, record)).filter((person) => !readers.includes(person));
        if (strangers.length > 0 && !stale.includes(name))
          throw new Error(`${strangers.join(", ")} could read ${scope}/${name}, and nothing says so`);
      }
    }
  }

  /** Where everything was rekeyed, exactly the readers open exactly what stands there. */
  async checkRekeyed(branch: Branch): Promise<void> {
    for (const [scope, name, record] of await listRecords(branch.files)) {
      const readers = this.reference.readers(branch, scope);
      demandSame(await this.openers(scope, name, record), readers, `who opens ${scope}/${name} after a rekey`);
    }
  }
}

function demandSame(found: readonly unknown[], due: readonly unknown[], what: string): void {
  if (found.join() !== due.join()) throw new Error(`${what}: found ${found.join()}, due ${due.join()}`);
}

function identitiesOf(name: Person) {
  return keys.get(name)?.identities ?? [];
}

function withPolicy(files: Files, team: Team): Files {
  const kept = Object.entries(files).filter(([path]) => !path.startsWith("policies/"));
  const members = everybody.filter((name) => team[name] !== "none");
  const roles = `{ all: { admin: true, grants: [{ scopes: ["**"], allow: [read, write] }] }, dev: { grants: [{ scopes: ["dev/**"], allow: [read] }] } }`;
  return Object.fromEntries([
    ...kept,
    [
      "policies/access.yaml",
      `version: 1\nmembers: { ${members.map((name) => `${name}: { roles: [${team[name]}] }`).join(", ")} }\nroles: ${roles}\n`,
    ],
    ...members.map((name) => [`policies/members/${name}.pub`, `${keys.get(name)?.text ?? ""}\n`]),
  ]);
}

async function listRecords(files: Files): Promise<(readonly [ScopePath, SecretName, string])[]> {
  const lists = await Promise.all(
    scopes.map(async (scope) =>
      [...((await readScope(memoryTree(files), scope)) ?? [])].map(
        ([name, { record }]) => [scope, name, record] as const,
      ),
    ),
  );
  return lists.flat();
}

async function mergeScopeFiles(scope: ScopePath, base: Files, ours: Files, theirs: Files): Promise<Files> {
  const [before, mine, yours] = await Promise.all(
    [base, ours, theirs].map(async (files) => (await readScope(memoryTree(files), scope)) ?? new Map<never, never>()),
  );
  if (before === undefined || mine === undefined || yours === undefined) return ours;
  const { entries, conflicts } = mergeScopes({ entries: before, disputed: new Set() }, mine, yours);
  // What both sides set, each otherwise, stays as ours has it.
  const solved = new Map(entries);
  for (const { name, ours: entry } of conflicts) if (entry !== undefined) solved.set(name, entry);
  return { ...ours, [scopeFilePath(scope)]: printScopeFile(scope, solved) };
}

/** As git merges with our driver; where both changed a member, the one who may read less is taken. */
async function merge(base: Branch, ours: Branch, theirs: Branch, reference: Reference): Promise<Branch> {
  const order: readonly Reach[] = ["none", "dev", "all"];
  const team = { ...ours.team };
  for (const name of everybody) {
    const [was, mine, yours] = [base.team[name], ours.team[name], theirs.team[name]];
    team[name] =
      mine === was
        ? yours
        : yours === was
          ? mine
          : (order[Math.min(...[mine, yours].map((it) => order.indexOf(it)))] ?? "none");
  }
  let files = ours.files;
  for (const scope of scopes) files = await mergeScopeFiles(scope, base.files, files, theirs.files);
  const merged: Branch = { files: withPolicy(files, team), team, past: [...ours.past, ...theirs.past] };
  const policy = await loadPolicy(memoryTree(merged.files));
  const all: Record<string, string> = { ...merged.files };
  for (const [path, text] of Object.entries(theirs.files)) {
    const parsed = parseSecretsPath(path);
    if (parsed?.kind !== "generation" || ours.files[path] === text || base.files[path] === text) continue;
    all[path] = mergeOne(path, parsed.scope, parsed.generation) ?? text;
  }
  return { ...merged, files: all };

  function mergeOne(path: string, scope: ScopePath, id: string): string | undefined {
    const [before, mine, yours] = [base, ours, theirs].map(({ files: of }) => of[path]);
    if (mine === undefined || mine === before) return yours;
    const bytes = (of: string | undefined) => (of === undefined ? undefined : Buffer.from(of));
    const wanted = new Map(
      [...policy.members.values()]
        .filter(({ name }) => reference.readers(merged, scope).includes(name as Person))
        .map(({ name, recipients }) => [name, recipients.map(({ text }) => fingerprint(text))]),
    );
    const sides = { base: bytes(before), ours: bytes(mine), theirs: bytes(yours) };
    const result = mergeGenerations(sides, { scope, id, wanted, choose: "ours" });
    return result.kind === "merged" ? result.text : mine;
  }
}

function fingerprint(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** Takes one past change of values back, as git revert does with our driver; keyrings and policy stay. */
async function revert(branch: Branch, trees: readonly Files[], pick: number): Promise<Branch> {
  if (trees.length < 2) return branch;
  const at = 1 + (pick % (trees.length - 1));
  let files = branch.files;
  for (const scope of scopes) files = await mergeScopeFiles(scope, trees[at] ?? {}, files, trees[at - 1] ?? {});
  // A record whose generation this branch never had does not come with a revert.
  const known = new Set(Object.keys(files));
  const records = await listRecords(files);
  const isOpen = records.every(([scope, , record]) =>
    known.has(generationPath(scope, parseRecordHeader(record).generation)),
  );
  return isOpen ? { ...branch, files } : branch;
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("set" as const),
      scope: fc.constantFrom(...scopes),
      name: fc.constantFrom(...names),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("grant" as const),
      who: fc.constantFrom(...others),
      reach: fc.constantFrom<Reach>("none", "dev", "all"),
      rekeys: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "rekey" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("mint" as const), scope: fc.constantFrom(...scopes) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("revert" as const), pick: fc.nat(1000) }) },
);
const few = fc.array(step, { minLength: 1, maxLength: 4 });
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 5, arbitrary: step },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("merge" as const), ours: few, theirs: few }) },
);

describe("a member opens a value if and only if they were given its key", () => {
  it("whatever is set, granted, taken away, reverted and merged, and after a rekey exactly the readers do", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 3, maxLength: 12 }), async (moves) => {
        const world = new World();
        let branch = await world.start();
        for (const next of moves) {
          branch = await world.move(branch, next);
          await world.checkReported(branch);
        }
        await world.checkAll();
        await world.checkRekeyed(await world.rekey(branch, scopes, "if-needed"));
        await world.checkAll();
      }),
      { numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) },
    );
  }, 600_000);
});
