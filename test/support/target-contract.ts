import { describe, expect, it, onTestFinished } from "vitest";
import type { Found, Item, OpenTarget, Progress, TargetFacts } from "../../src/deploy/targets/target.ts";
import { isProviderFailure, type ProviderFailure } from "../../src/net/provider-failure.ts";
import { Secret } from "../../src/secret/secret.ts";

/** An empty place of its own, for one test. */
export interface TargetSubject {
  readonly facts: TargetFacts;
  /** Connects anew. */
  open(): Promise<OpenTarget>;
  /** Puts a value there as somebody else would, without our mark. */
  putForeign(name: string, value: string): Promise<void>;
  /** The values that are there now, of whomever, as an administrator sees them; undefined where nobody can see them. */
  peek?(): Promise<Readonly<Record<string, string>>>;
  /** Whether what somebody else put there cannot be read, where what we put there can. */
  readonly hidesForeign?: boolean;
  /** The same target where no server is; without, for a target that is on this machine. */
  unreachable?(): Promise<OpenTarget>;
  /** Names that the target takes; `ALPHA`, `BETA`, `GAMMA` when left out. */
  readonly names?: readonly [string, string, string];
}

const canary = "contract-canary-5v1t";

/** An item to write. The fingerprint changes with the text. */
export function itemOf(name: string, text: string, found?: Found): Item {
  const fingerprint = Buffer.from(text.padEnd(8, "x").slice(-8), "latin1").toString("hex");
  return { name, value: Secret.text(text), mark: { address: `prod/api/${name}`, fingerprint }, found };
}

/** Told by a target: what was done, and what failed. */
export function recordProgress(): Progress & {
  readonly doneNames: string[];
  readonly failures: Map<string, ProviderFailure>;
} {
  const doneNames: string[] = [];
  const failures = new Map<string, ProviderFailure>();
  return {
    doneNames,
    failures,
    done: (name) => void doneNames.push(name),
    failed: (name, failure) => void failures.set(name, failure),
  };
}

/** Writes `values` and nothing else, as the engine would; what was there is looked at first. */
export async function writeAll(target: OpenTarget, values: Readonly<Record<string, string>>) {
  const found = await inspectByName(target, Object.keys(values));
  const writes = Object.entries(values).map(([name, text]) => itemOf(name, text, found.get(name)));
  const progress = recordProgress();
  await target.apply({ writes, removes: [], wanted: writes, sequence: 1 }, progress);
  return progress;
}

/** What is there, by name. */
export async function inspectByName(target: OpenTarget, names: readonly string[]): Promise<Map<string, Found>> {
  return new Map((await target.inspect(names)).map((found) => [found.name, found]));
}

/** The failure that a call ends with. Throws when it does not, or holds the canary. */
export async function targetFailure(call: Promise<unknown>): Promise<ProviderFailure> {
  try {
    await call;
  } catch (error) {
    if (!isProviderFailure(error)) throw error;
    expect([error.message, ...error.hints, String(error.stack)].join("\n")).not.toContain(canary);
    return error;
  }
  throw new Error("the call did not fail");
}

/** The promises of src/deploy/targets/target.ts, as tests. `make` gives another, empty place each time. */
export function describesTarget(make: () => Promise<TargetSubject>): void {
  const begin = async () => {
    const subject = await make();
    const target = await subject.open();
    onTestFinished(async () => await target.close());
    const [alpha, beta, gamma] = subject.names ?? ["ALPHA", "BETA", "GAMMA"];
    return { ...subject, subject, target, alpha, beta, gamma };
  };
  const expectItem = (facts: TargetFacts, found: Found | undefined, item: Item) => {
    expect(found).toBeDefined();
    if (facts.readsBack) expect(found?.value?.revealText()).toBe(item.value.revealText());
    else expect(found?.value).toBeUndefined();
    if (facts.keepsMarks) expect(found?.mark).toEqual(item.mark);
  };

  describe("the contract of a target", () => {
    it("finds nothing in an empty place", async () => {
      const { target, alpha } = await begin();
      expect(await target.inspect([alpha])).toEqual([]);
    });

    it("writes, and says that it did; a second connection finds it, with its mark where marks are kept", async () => {
      const { target, subject, facts, alpha, beta } = await begin();
      const { doneNames, failures } = await writeAll(target, { [alpha]: `${canary}-one`, [beta]: `${canary}-two` });
      expect(doneNames.toSorted()).toEqual([alpha, beta].toSorted());
      expect(failures.size).toBe(0);
      const again = await subject.open();
      onTestFinished(async () => await again.close());
      const found = await inspectByName(again, [alpha, beta]);
      expectItem(facts, found.get(alpha), itemOf(alpha, `${canary}-one`));
      expectItem(facts, found.get(beta), itemOf(beta, `${canary}-two`));
    });

    it("finds what has our mark, also when it is not asked for", async () => {
      const { target, facts, alpha, beta } = await begin();
      await writeAll(target, { [alpha]: `${canary}-one`, [beta]: `${canary}-two` });
      const found = await inspectByName(target, [beta]);
      expect(found.has(beta)).toBe(true);
      if (facts.keepsMarks) expect(found.get(alpha)?.mark?.address).toBe(`prod/api/${alpha}`);
    });

    it("updates a value, leaves the others, and takes the same change twice", async () => {
      const { target, facts, alpha, beta } = await begin();
      await writeAll(target, { [alpha]: `${canary}-one`, [beta]: `${canary}-two` });
      for (const _ of ["once", "twice"]) {
        const found = await inspectByName(target, [alpha, beta]);
        const write = itemOf(alpha, `${canary}-new`, found.get(alpha));
        const progress = recordProgress();
        await target.apply(
          {
            writes: [write],
            removes: [],
            wanted: [write, itemOf(beta, `${canary}-two`, found.get(beta))],
            sequence: 1,
          },
          progress,
        );
        expect(progress.doneNames).toEqual([alpha]);
      }
      const found = await inspectByName(target, [alpha, beta]);
      expectItem(facts, found.get(alpha), itemOf(alpha, `${canary}-new`));
      expectItem(facts, found.get(beta), itemOf(beta, `${canary}-two`));
    });

    it("removes what it is told to, also twice", async () => {
      const { target, alpha, beta } = await begin();
      await writeAll(target, { [alpha]: `${canary}-one`, [beta]: `${canary}-two` });
      const before = await inspectByName(target, [alpha, beta]);
      const removed = before.get(beta);
      if (removed === undefined) throw new Error("it was not written");
      const wanted = [itemOf(alpha, `${canary}-one`, before.get(alpha))];
      for (const _ of ["once", "twice"]) {
        const progress = recordProgress();
        await target.apply({ writes: [], removes: [removed], wanted, sequence: 1 }, progress);
        expect(progress.doneNames).toEqual([beta]);
      }
      const found = await inspectByName(target, [alpha, beta]);
      expect(found.get(alpha)).toBeDefined();
      expect(found.get(beta) === undefined || found.get(beta)?.blocked !== undefined).toBe(true);
    });

    it("reports what somebody else put there without a mark, and leaves it as it is", async () => {
      const { target, subject, facts, alpha, gamma } = await begin();
      await subject.putForeign(gamma, "foreign-value");
      const found = await inspectByName(target, [alpha, gamma]);
      expect([...found.keys()]).toEqual([gamma]);
      expect(found.get(gamma)?.mark).toBeUndefined();
      await writeAll(target, { [alpha]: `${canary}-one` });
      const after = await inspectByName(target, [alpha, gamma]);
      expect(after.get(gamma)?.mark).toBeUndefined();
      if (facts.readsBack && subject.hidesForeign !== true) {
        expect(after.get(gamma)?.value?.revealText()).toBe("foreign-value");
      }
      if (subject.peek !== undefined) expect((await subject.peek())[gamma]).toBe("foreign-value");
    });

    it("takes over what somebody else put there when it is told to", async () => {
      const { target, subject, facts, gamma } = await begin();
      await subject.putForeign(gamma, "foreign-value");
      await writeAll(target, { [gamma]: `${canary}-ours` });
      expectItem(facts, (await inspectByName(target, [gamma])).get(gamma), itemOf(gamma, `${canary}-ours`));
    });

    it("says of a service that is not there that nothing was done, or that it is not known", async () => {
      const { subject, alpha } = await begin();
      const away = await subject.unreachable?.();
      if (away === undefined) return;
      onTestFinished(async () => await away.close());
      const classes = ["transient", "unknown"];
      expect(classes).toContain((await targetFailure(away.inspect([alpha]))).class);
      const item = itemOf(alpha, `${canary}-one`);
      const change = { writes: [item], removes: [], wanted: [item], sequence: 1 };
      expect(classes).toContain((await targetFailure(away.apply(change, recordProgress()))).class);
    });
  });
}
