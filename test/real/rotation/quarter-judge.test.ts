import { describe, expect, it } from "vitest";
import { createSealedRepository, type TestRepository } from "../../support/repository.ts";
import { fingerprint, type ServiceEntry } from "./quarter/credential-service.ts";
import { dueDayOf, judge, type Evidence } from "./quarter/judge.ts";
import { drawTimeline } from "./quarter/draw-timeline.ts";
import { printPage } from "./quarter/print-page.ts";
import { readHistory } from "./quarter/read-history.ts";
import type { Simulation } from "./quarter/simulate.ts";
import { dayMs, firstDayMs, type Kind, type PlannedSecret } from "./quarter/team-plan.ts";

const address = "prod/api/SECRET_01";
const account = "account-1";
const startMs = firstDayMs - 10 * dayMs;
const days = 60;

function planned(kind: Kind, intervalDays = 30): PlannedSecret {
  const [scope, name] = ["prod/api", "SECRET_01"];
  return { address, scope, name, kind, intervalDays, account, age: 10, personDays: 0 };
}

const at = (day: number) => firstDayMs + day * dayMs + 3 * 3_600_000;
const keys = planned("keys");
const due = dueDayOf(keys, startMs);
const second = dueDayOf(keys, at(due));

/** A history in which it was rotated on these days. */
function historyOf(...rotated: readonly number[]): Evidence["values"] {
  const all = [startMs, ...rotated.map(at)];
  return all.map((atMs, index) => ({ address, valueId: `${index}`, atMs, setAtMs: atMs, commit: `${index}` }));
}

/** All is as it should be, but for what is given. */
function evidence(given: Partial<Evidence> = {}): Evidence {
  const value = fingerprint("test-value");
  return {
    days,
    secrets: [keys],
    values: historyOf(due, second),
    service: [],
    live: new Map([[account, [value]]]),
    head: new Map([[address, value]]),
    targets: new Map([[address, value]]),
    issue: [],
    excuses: [],
    extras: [],
    ...given,
  };
}

const found = (given: Partial<Evidence> = {}) => judge(evidence(given)).findings.map(({ what }) => what);

async function commitValues(repository: TestRepository, ...times: readonly number[]): Promise<void> {
  for (const [index, ms] of times.entries()) {
    const date = `${ms / 1000} +0000`;
    const env = { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
    const stdin = `test-value-${index}`;
    await repository.ok(["set", address, "--stdin"], { stdin, now: new Date(ms), env });
  }
}

describe("the judge of a simulation", () => {
  it("finds nothing where all is as it should be", () => {
    expect(found()).toEqual([]);
    expect(judge(evidence()).rotations.map(({ day }) => day)).toEqual([due, second]);
  });

  it("finds what was rotated twice, unless a reader left that day", () => {
    const values = historyOf(due, due + 1, dueDayOf(keys, at(due + 1)));
    expect(found({ values })).toEqual(["twice"]);
    expect(found({ values, extras: [{ day: due + 1, scope: "prod/api" }] })).toEqual([]);
  });

  it("finds what was rotated late or never, unless it could not be sooner", () => {
    const values = historyOf(due + 2, dueDayOf(keys, at(due + 2)));
    expect(found({ values })).toEqual(["late"]);
    const excuses = [due, due + 1].map((day) => ({ day, kinds: "all" as const, why: "test" }));
    expect(found({ values, excuses })).toEqual([]);
    expect(found({ values, excuses: excuses.slice(1) })).toEqual(["late"]);
    expect(found({ values, excuses: excuses.map((each) => ({ ...each, kinds: ["passwords"] as const })) })).toEqual([
      "late",
    ]);
    expect(found({ values: historyOf(due) })).toEqual(["late"]);
    expect(found({ values: historyOf() })).toEqual(["late"]);
  });

  it("finds what was lost at the service, in the targets and in main", () => {
    const other = fingerprint("test-other-value");
    expect(found({ live: new Map([[account, []]]) })).toEqual(["lost"]);
    expect(found({ live: new Map([[account, [other]]]) })).toEqual(["lost", "orphan"]);
    expect(found({ targets: new Map([[address, other]]) })).toEqual(["lost"]);
    expect(found({ head: new Map() })).toEqual(["lost"]);
    expect(found({ values: [] })).toContain("lost");
  });

  it("finds a credential that nobody knows, and lets an old one have its grace", () => {
    const value = fingerprint("test-value");
    const live = new Map([[account, [value, fingerprint("test-old-value")]]]);
    expect(found({ live })).toEqual(["orphan"]);
    expect(found({ live, values: historyOf(due), days: due + 2 })).toEqual([]);
  });

  it("finds a login that was refused, and lets an only key have its moment", () => {
    const entry = (what: ServiceEntry["what"], atMs: number): ServiceEntry => ({ atMs, account, what, value: "" });
    const service = [entry("made", at(due)), entry("refused", at(due) + 1000)];
    expect(found({ service })).toEqual(["refused"]);
    expect(found({ service, secrets: [planned("one key")] })).toEqual([]);
    const late = [...service, entry("refused", at(due) + dayMs / 2)];
    expect(found({ service: late, secrets: [planned("one key")] })).toEqual(["refused"]);
  });

  it("finds an issue that does not ask, that goes on asking, and that is open for nothing", () => {
    const secrets = [planned("by hand")];
    const issue = [
      { day: due - 1, asks: undefined },
      { day: due, asks: [address] },
      { day: due + 1, asks: undefined },
    ];
    expect(found({ secrets, issue })).toEqual([]);
    expect(found({ secrets, issue: [{ day: due, asks: undefined }] })).toEqual(["issue"]);
    expect(found({ secrets, issue: [{ day: due + 1, asks: [address] }] })).toEqual(["issue"]);
    expect(found({ secrets, issue: [{ day: due + 1, asks: [] }] })).toEqual(["issue"]);
  });

  it("reads a rotation that is twice, and one that is late, in a real history", async () => {
    const repository = await createSealedRepository();
    await commitValues(repository, startMs, at(due), at(due + 1), at(due + 45));
    const values = readHistory(repository.root);
    expect(values.map(({ atMs }) => atMs)).toEqual([startMs, at(due), at(due + 1), at(due + 45)]);
    expect(values.map(({ setAtMs }) => setAtMs)).toEqual([startMs, at(due), at(due + 1), at(due + 45)]);
    expect(new Set(values.map(({ valueId }) => valueId)).size).toBe(4);
    expect(found({ values, days: due + 46 })).toEqual(["twice", "late"]);
  });

  it("says when a value is due as the program does", async () => {
    const repository = await createSealedRepository();
    await commitValues(repository, startMs);
    for (const intervalDays of [7, 30, 45, 90]) {
      repository.write("policies/rotation.yaml", `secrets:\n  ${address}: { interval: ${intervalDays}d }\n`);
      const { stdout } = await repository.ok(["rotation", "status", address], { now: new Date(startMs) });
      const day = /^due\s+(\S+)/m.exec(stdout)?.[1] ?? "";
      const expected = new Date(firstDayMs + dueDayOf(planned("keys", intervalDays), startMs) * dayMs);
      expect(day).toBe(expected.toISOString().slice(0, 10));
    }
  });

  it("is told on the page and in the picture, the same for the same simulation", () => {
    const simulation: Simulation = {
      size: { days, groups: [["keys", 30, 1]] },
      evidence: evidence({ values: historyOf(due, due + 1) }),
      hits: [{ incident: { what: "skipped", day: 3, days: 1 }, days: [3], at: "" }],
      skipped: [3],
      jobs: 59,
      heartbeats: [],
      logins: 100,
      refusals: [],
      isAccepted: true,
      commits: 5,
    };
    const verdict = judge(simulation.evidence);
    const page = printPage(simulation, verdict);
    for (const { text } of verdict.findings) expect(page).toContain(text);
    const picture = drawTimeline(simulation, verdict);
    expect(picture).toBe(drawTimeline(simulation, verdict));
    expect(picture.match(/class="bad" cx/g)?.length).toBe(1);
    expect(picture).not.toMatch(/<script|<image|href|url\(|@import/);
    // SVG is XML; a browser shows nothing of one that is not well formed.
    const names = [...picture.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)];
    const open: string[] = [];
    for (const [, end, name = "", isEmpty] of names) {
      if (end === "/") expect(open.pop()).toBe(name);
      else if (isEmpty === "") open.push(name);
    }
    expect(open).toEqual([]);
  });
});
