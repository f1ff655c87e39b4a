import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRotations, groupByWeek, listMonths, planCalendar, startOfDay } from "../../src/rotation/calendar.ts";
import { scheduleOf, stateOf } from "../../src/rotation/due.ts";
import { dayMs } from "../../src/rotation/duration.ts";
import { ruleFor, type Rule } from "../../src/rotation/policy.ts";
import type { StatusEntry } from "../../src/rotation/status.ts";
import { parseAddress } from "../../src/secret/address.ts";

const now = new Date("2026-03-17T09:30:00Z");

function entryOf(name: string, daysAgo: number, changes: Partial<Rule>): StatusEntry {
  const address = parseAddress(`prod/api/${name}`);
  const built = ruleFor({ defaults: {}, types: new Map(), secrets: new Map([[`prod/api/${name}`, {}]]) }, address);
  if (built === undefined) throw new Error("no rule");
  const rule = { ...built, ...changes };
  const setAtMs = now.getTime() - daysAgo * dayMs;
  const schedule = scheduleOf(rule, address, setAtMs);
  const state = stateOf(rule, address, setAtMs, now.getTime());
  return { address, rule, setAtMs, schedule, dueAtMs: schedule?.dueAtMs, state, flight: undefined, record: "" };
}

describe("planCalendar", () => {
  it("puts what is due already into today, and what follows after its interval", () => {
    const days = planCalendar([entryOf("OLD", 200, { intervalMs: 30 * dayMs })], now, 60);
    expect(days[0]?.startMs).toBe(Date.parse("2026-03-17T00:00:00Z"));
    expect(days.map(({ rotations }) => rotations.map(({ isNext }) => isNext))).toEqual([[true], [false], [false]]);
  });

  it("counts an interval of six hours four times a day, on one line", () => {
    const [today, next] = planCalendar([entryOf("SHORT", 0, { intervalMs: dayMs / 4 })], now, 2);
    expect([today?.rotations.length, today && countRotations(today)]).toEqual([1, 2]);
    expect([next?.rotations.length, next && countRotations(next)]).toEqual([1, 4]);
  });

  it("has neither what is never due nor what has no rule", () => {
    const never = entryOf("NEVER", 400, { intervalMs: "never" });
    const without: StatusEntry = { ...never, rule: undefined, state: "no-rule" };
    expect(planCalendar([never, without], now, 366)).toEqual([]);
  });

  it("has every rotation on the day of its time, within the days that were asked for, and weeks have the same", () => {
    const entry = fc
      .tuple(fc.stringMatching(/^[A-Z]{1,6}$/), fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 60 }))
      .map(([name, daysAgo, days]) => entryOf(name, daysAgo, { intervalMs: days * dayMs }));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), fc.integer({ min: 1, max: 90 }), (entries, length) => {
        const days = planCalendar(entries, now, length);
        for (const day of days) {
          expect(day.startMs).toBeGreaterThanOrEqual(startOfDay(now.getTime()));
          expect(day.startMs).toBeLessThan(startOfDay(now.getTime()) + length * dayMs);
          for (const { atMs } of day.rotations) expect(startOfDay(atMs)).toBe(day.startMs);
        }
        const starts = days.map(({ startMs }) => startMs);
        expect(starts).toEqual([...new Set(starts)].toSorted((a, b) => a - b));
        expect(groupByWeek(days, now, length).flatMap((week) => week.days)).toEqual(days);
      }),
      { numRuns: 50 },
    );
  });
});

describe("listMonths", () => {
  it("has every day of each month once, under its weekday, and every month that is touched", () => {
    const anyDay = fc.date({ min: new Date("2020-01-01"), max: new Date("2040-01-01"), noInvalidDate: true });
    fc.assert(
      fc.property(anyDay, fc.integer({ min: 1, max: 366 }), (today, length) => {
        const months = listMonths(today, length);
        for (const { startMs, weeks } of months) {
          const days = weeks.flat().filter((day) => day !== undefined);
          expect(days[0]).toBe(startMs);
          expect(new Date(startMs).getUTCDate()).toBe(1);
          expect(new Date((days.at(-1) ?? 0) + dayMs).getUTCDate()).toBe(1);
          expect(days).toEqual(days.map((_, index) => startMs + index * dayMs));
          for (const week of weeks) {
            expect(week).toHaveLength(7);
            for (const [column, day] of week.entries())
              if (day !== undefined) expect((new Date(day).getUTCDay() + 6) % 7).toBe(column);
          }
        }
        const all = months.flatMap(({ weeks }) => weeks.flat());
        for (const day of [0, length - 1]) expect(all).toContain(startOfDay(today.getTime()) + day * dayMs);
      }),
      { numRuns: 60 },
    );
  });
});
