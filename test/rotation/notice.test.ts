import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { scheduleOf, stateOf } from "../../src/rotation/due.ts";
import { dayMs } from "../../src/rotation/duration.ts";
import type { Flight } from "../../src/rotation/flight.ts";
import { isPressing, listNotices } from "../../src/rotation/notice.ts";
import { ruleFor } from "../../src/rotation/policy.ts";
import type { StatusEntry } from "../../src/rotation/status.ts";
import { parseAddress } from "../../src/secret/address.ts";
import { readScope } from "../../src/store/keyring.ts";
import { openWorkTree } from "../../src/store/work-tree.ts";
import { createSealedRepository } from "../support/repository.ts";

const address = parseAddress("prod/api/SESSION_KEY");
const setAtMs = Date.parse("2026-03-01T12:00:00Z");
const rule = ruleFor(
  { defaults: {}, types: new Map(), secrets: new Map([["prod/api/SESSION_KEY", { interval: 30 * dayMs }]]) },
  address,
);
if (rule === undefined) throw new Error("no rule");
const schedule = scheduleOf(rule, address, setAtMs);
if (schedule === undefined) throw new Error("no schedule");
let record: string;

beforeAll(async () => {
  const repository = await createSealedRepository();
  await repository.ok(["set", "prod/api/SESSION_KEY", "--stdin"], { stdin: "test-value" });
  record = (await readScope(openWorkTree(repository.root), address.scope))?.get(address.name)?.record ?? "";
});

function entryAt(nowMs: number, changes: Partial<StatusEntry> = {}): StatusEntry {
  const state = stateOf(rule ?? fail(), address, setAtMs, nowMs);
  return { address, rule, setAtMs, schedule, dueAtMs: schedule?.dueAtMs, state, flight: undefined, record, ...changes };
}

function tell(nowMs: number, afterMs?: number, changes?: Partial<StatusEntry>) {
  return listNotices([entryAt(nowMs, changes)], new Date(nowMs), afterMs);
}

function fail(): never {
  throw new Error("no rule");
}

describe("listNotices", () => {
  it.each([
    ["soon", schedule.noticeAtMs],
    ["due", schedule.dueAtMs],
    ["overdue", schedule.overdueAtMs],
  ])("tells that a value is %s from the time on at which it becomes so", (kind, atMs) => {
    expect(tell(atMs)).toMatchObject([{ kind, sinceMs: atMs }]);
    expect(tell(atMs - 1)[0]?.kind).not.toBe(kind);
  });

  it("tells everything once when each run takes up where the last one ended, whenever that was", () => {
    const anyTime = fc.integer({ min: setAtMs, max: setAtMs + 60 * dayMs });
    fc.assert(
      fc.property(fc.array(anyTime, { maxLength: 12 }), (times) => {
        const runs = [...new Set([setAtMs, ...times, setAtMs + 60 * dayMs])].toSorted((a, b) => a - b);
        const told = runs.flatMap((nowMs, index) => {
          const before = runs[index - 1];
          return before === undefined ? [] : tell(nowMs, before).map(({ id }) => id);
        });
        expect(told).toHaveLength(new Set(told).size);
        // What was only on its way at the last run may be passed over, but never what it came to.
        expect(told).toContain(tell(setAtMs + 60 * dayMs)[0]?.id);
      }),
    );
  });

  it("gives the same notice the same id in every run, and another to another kind, value or secret", () => {
    const [due] = tell(schedule.dueAtMs);
    const [later] = tell(schedule.dueAtMs + 1000);
    expect(later?.id).toBe(due?.id);
    const others = [
      ...tell(schedule.overdueAtMs),
      ...tell(schedule.dueAtMs, undefined, { address: parseAddress("prod/api/OTHER") }),
    ];
    expect(new Set([due, ...others].map((it) => it?.id)).size).toBe(3);
  });

  it("has a rotation that is stuck before all else, and not one that is under way", () => {
    const flight: Flight = {
      phase: "in-flight",
      startedAtMs: setAtMs,
      graceUntilMs: undefined,
      stuckAtMs: setAtMs + dayMs,
    };
    expect(tell(setAtMs + dayMs - 1, undefined, { flight })).toEqual([]);
    const stuck = tell(setAtMs + dayMs, undefined, { flight });
    expect(stuck).toMatchObject([{ kind: "stuck", sinceMs: setAtMs + dayMs }]);
    expect(tell(schedule.overdueAtMs, undefined, { flight })).toMatchObject([{ kind: "stuck" }]);
    expect(stuck.every(isPressing)).toBe(true);
  });

  it("has a journal that cannot be read as stuck at once, in every run", () => {
    const flight: Flight = {
      phase: "unreadable",
      startedAtMs: undefined,
      graceUntilMs: undefined,
      stuckAtMs: undefined,
    };
    expect(tell(setAtMs + 5, setAtMs, { flight })).toMatchObject([{ kind: "stuck", sinceMs: setAtMs + 5 }]);
  });

  it("says of a secret without a rule so, which presses nobody", () => {
    const without = { rule: undefined, schedule: undefined, state: "no-rule" } as const;
    const notices = tell(setAtMs + dayMs, undefined, without);
    expect(notices).toMatchObject([{ kind: "no-rule", sinceMs: setAtMs }]);
    expect(notices.some(isPressing)).toBe(false);
    expect(tell(setAtMs + dayMs, setAtMs, without)).toEqual([]);
  });

  it("sorts by urgency, then by age", () => {
    const at = schedule.overdueAtMs;
    const soon = entryAt(at, { address: parseAddress("prod/api/SOON"), state: "notice" });
    const noRule = entryAt(at, {
      address: parseAddress("a/a/NONE"),
      rule: undefined,
      schedule: undefined,
      state: "no-rule",
    });
    const kinds = listNotices([noRule, soon, entryAt(at)], new Date(at)).map(({ kind }) => kind);
    expect(kinds).toEqual(["overdue", "soon", "no-rule"]);
  });
});
