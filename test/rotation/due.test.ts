import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Address } from "../../src/secret/address.ts";
import { parseAddress } from "../../src/secret/address.ts";
import { dueAt, jitterDays, stateOf } from "../../src/rotation/due.ts";
import { dayMs, durationMs, isDuration } from "../../src/rotation/duration.ts";
import { ruleFor, type Rule } from "../../src/rotation/policy.ts";

const address = parseAddress("prod/api/SESSION_KEY");
const anyAddress: fc.Arbitrary<Address> = fc
  .stringMatching(/^[A-Z]{1,12}$/)
  .map((name) => parseAddress(`prod/api/${name}`));
const anyTime = fc.integer({ min: 0, max: 4_000_000_000_000 });

function rule(changes: Partial<Rule>): Rule {
  const built = ruleFor({ defaults: {}, types: new Map(), secrets: new Map([["prod/api/SESSION_KEY", {}]]) }, address);
  if (built === undefined) throw new Error("no rule");
  return { ...built, ...changes };
}

describe("durations", () => {
  it.each([
    ["90d", 7_776_000_000],
    ["24h", dayMs],
    ["5m", 300_000],
    ["2w", 14 * dayMs],
  ])("%s is %d ms", (text, expected) => {
    expect(isDuration(text) && durationMs(text)).toBe(expected);
  });

  it.each(["", "0d", "-1d", "1.5h", "90", "d", "90 d", "1y", "100000d", "90D", " 90d"])("%j is none", (text) => {
    expect(isDuration(text)).toBe(false);
  });
});

describe("dueAt", () => {
  it("is at the time of day of the rule, after the value was set and never later than the interval", () => {
    fc.assert(
      fc.property(
        anyAddress,
        anyTime,
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 0, max: 1439 }),
        (at, setAtMs, days, minute) => {
          const due = dueAt(rule({ intervalMs: days * dayMs, atMs: minute * 60_000 }), at, setAtMs) ?? Number.NaN;
          expect(((due % dayMs) + dayMs) % dayMs).toBe(minute * 60_000);
          expect(due).toBeGreaterThan(setAtMs);
          expect(due).toBeLessThanOrEqual(setAtMs + days * dayMs);
          expect(due).toBeGreaterThan(setAtMs + days * dayMs - dayMs - Math.min(7, days / 10) * dayMs);
        },
      ),
    );
  });

  it("keeps a daily rotation daily when each one is done a little late", () => {
    const daily = rule({ intervalMs: dayMs, atMs: 2 * 3_600_000 });
    const done = Date.parse("2026-03-01T02:05:00Z");
    expect(new Date(dueAt(daily, address, done) ?? 0).toISOString()).toBe("2026-03-02T02:00:00.000Z");
  });

  it("has no time of day for an interval below a day, and no due time for never", () => {
    expect(dueAt(rule({ intervalMs: 3_600_000 }), address, 1000)).toBe(3_601_000);
    expect(dueAt(rule({ intervalMs: "never" }), address, 1000)).toBeUndefined();
  });
});

describe("jitterDays", () => {
  it("is the same for one address, 0 to 7 and at most a tenth of the interval", () => {
    fc.assert(
      fc.property(anyAddress, fc.integer({ min: 1, max: 400 }), (at, days) => {
        const jitter = jitterDays(at, days * dayMs);
        expect(jitter).toBe(jitterDays({ ...at }, days * dayMs));
        expect(jitter).toBeGreaterThanOrEqual(0);
        expect(jitter).toBeLessThanOrEqual(Math.min(7, days / 10));
      }),
    );
  });

  it("spreads 500 secrets over all eight days", () => {
    const days = Array.from({ length: 500 }, (_, index) =>
      jitterDays(parseAddress(`prod/api/KEY_${index}`), 90 * dayMs),
    );
    for (let day = 0; day <= 7; day++) expect(days.filter((it) => it === day).length).toBeGreaterThan(30);
  });
});

describe("stateOf", () => {
  const thirty = rule({ intervalMs: 30 * dayMs, noticeMs: 7 * dayMs });
  const setAt = Date.parse("2026-03-01T12:00:00Z");
  const due = dueAt(thirty, address, setAt) ?? 0;

  it.each([
    ["ok", due - 7 * dayMs - 1],
    ["notice", due - 7 * dayMs],
    ["notice", due - 1],
    ["due", due],
    ["due", due + dayMs - 1],
    ["overdue", due + dayMs],
  ])("is %s at its boundary", (state, nowMs) => {
    expect(stateOf(thirty, address, setAt, nowMs)).toBe(state);
  });

  it("is ok in the first half of an interval that is shorter than the notice", () => {
    const short = rule({ intervalMs: 2 * 3_600_000, noticeMs: 7 * dayMs });
    expect(stateOf(short, address, setAt, setAt + 3_599_999)).toBe("ok");
    expect(stateOf(short, address, setAt, setAt + 3_600_000)).toBe("notice");
  });

  it("is due for a value from the future and ok for an interval of never", () => {
    expect(stateOf(thirty, address, setAt, setAt - 2 * dayMs)).toBe("due");
    expect(stateOf(rule({ intervalMs: "never" }), address, 0, setAt)).toBe("ok");
  });
});
