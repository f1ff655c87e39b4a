import { describe, expect, it } from "vitest";
import { findPastTime } from "../../src/history/past-time.ts";

const now = new Date("2026-11-22T10:00:00Z");
const timeOf = (text: string) => {
  const found = findPastTime(text, now);
  return found === undefined ? undefined : new Date(found).toISOString();
};

describe("findPastTime", () => {
  it.each([
    ["2026-11-01", "2026-11-01T00:00:00.000Z"],
    ["2026-11-01T12:00Z", "2026-11-01T12:00:00.000Z"],
    ["2026-11-01T12:00:30.5z", "2026-11-01T12:00:30.500Z"],
    ["2026-11-01T12:00:00+02:00", "2026-11-01T10:00:00.000Z"],
    ["3d", "2026-11-19T10:00:00.000Z"],
    ["12h ago", "2026-11-21T22:00:00.000Z"],
  ])("reads %s", (text, expected) => {
    expect(timeOf(text)).toBe(expected);
  });

  it.each([
    "2026-02-30",
    "2026-11-01T12:00",
    "2026-11-01T25:00Z",
    "yesterday",
    "3w",
    "0d",
    "3",
    "main",
    "20261101",
    "",
  ])("takes %s for no time", (text) => {
    expect(timeOf(text)).toBeUndefined();
  });
});
