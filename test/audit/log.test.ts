import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuditEvent } from "../../src/audit/event.ts";
import { appendAudit, auditLogPath, maxLogBytes } from "../../src/audit/log.ts";
import { readAudit } from "../../src/audit/read-log.ts";

const now = new Date("2026-03-01T12:00:00Z");
const event: AuditEvent = {
  kind: "written",
  operation: "set",
  scope: "dev/app",
  name: "API_KEY",
  outcome: "ok",
  member: "alice",
  knownBy: "identity",
};

let folder: string;
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sealtree-audit-"));
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const environment = (sink?: string) => ({
  HOME: folder,
  PATH: join(folder, "bin"),
  ...(sink === undefined ? {} : { SEALTREE_AUDIT: sink }),
});

function append(events: readonly AuditEvent[], sink?: string): void {
  const stderr = { write: (text: string) => said.push(text) };
  appendAudit({ env: environment(sink), stderr }, now, events, { repository: "/repo", request: "00112233" });
}

function installLogger(script: string): void {
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin", "logger"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

describe("appendAudit", () => {
  const path = () => auditLogPath(environment());

  it("writes one JSON line an event, with who, what and where, and nothing that is not known", () => {
    append([event, { kind: "unauthorised", operation: "get", outcome: "refused", error: "E_NO_ACCESS" }]);
    const [first, second] = readFileSync(path(), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(first).toMatchObject({
      time: "2026-03-01T12:00:00.000Z",
      code: "HBSE-009",
      level: "info",
      actor: { member: "alice", known_by: "identity", user: expect.any(String) },
      operation: "set",
      scope: "dev/app",
      name: "API_KEY",
      outcome: "ok",
      repository: "/repo",
      request: "00112233",
      host: expect.any(String),
    });
    expect(Object.keys(second)).toEqual([
      "time",
      "code",
      "level",
      "actor",
      "operation",
      "outcome",
      "error",
      "repository",
      "request",
      "host",
    ]);
    expect(readAudit(environment())).toEqual([first, second]);
  });

  it("makes a file and a folder that only the user can open", () => {
    append([event]);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(statSync(join(path(), "..")).mode & 0o777).toBe(0o700);
  });

  it("puts a full log aside, keeps one such file, and reads both", () => {
    append([event]);
    writeFileSync(`${path()}.1`, "an older log\n");
    writeFileSync(path(), " ".repeat(maxLogBytes) + readFileSync(path(), "utf8"));
    append([{ ...event, name: "NEXT" }]);
    expect(statSync(`${path()}.1`).size).toBeGreaterThan(maxLogBytes);
    expect(readFileSync(path(), "utf8")).toContain("NEXT");
    expect(existsSync(`${path()}.lock`)).toBe(false);
    expect(readAudit(environment()).map(({ name }) => name)).toEqual(["API_KEY", "NEXT"]);
  });

  it("leaves putting aside to the process that does it, and takes over from one that is gone", () => {
    append([event]);
    writeFileSync(path(), `${" ".repeat(maxLogBytes)}\n`);
    writeFileSync(`${path()}.lock`, "");
    append([event]);
    expect(existsSync(`${path()}.1`)).toBe(false);
    utimesSync(`${path()}.lock`, 1, 1);
    append([event]);
    expect(existsSync(`${path()}.1`)).toBe(true);
    expect(readAudit(environment())).toHaveLength(2);
  });

  it("keeps none when it is off, and none when there are no events", () => {
    append([event], "off");
    append([]);
    expect(existsSync(path())).toBe(false);
  });

  it("copies to stderr or to a file that only the user can open", () => {
    append([event], "stderr");
    expect(said.join("")).toBe(readFileSync(path(), "utf8"));
    const copy = join(folder, "copy.jsonl");
    append([event], copy);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(copy, "utf8"))).toMatchObject({ code: "HBSE-009" });
  });

  it("hands syslog each record through stdin, by level, and nothing of it in the arguments", () => {
    installLogger(`echo "$@" >> "${folder}/args"; while read -r line; do echo "$line" >> "${folder}/lines"; done`);
    append([event, { ...event, kind: "unauthorised", outcome: "refused" }, { ...event, name: "OTHER" }], "syslog");
    expect(readFileSync(join(folder, "args"), "utf8")).toBe("-t sealtree -p user.info\n-t sealtree -p user.err\n");
    const lines = readFileSync(join(folder, "lines"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ code, name }) => `${code} ${name}`)).toEqual([
      "HBSE-009 API_KEY",
      "HBSE-009 OTHER",
      "HBSE-006 API_KEY",
    ]);
    expect(said).toEqual([]);
  });

  it("gives logger none of the environment but PATH", () => {
    installLogger(`export -p > "${folder}/env"; while read -r line; do :; done`);
    append([event], "syslog");
    expect(readFileSync(join(folder, "env"), "utf8")).not.toMatch(/HOME|SEALTREE/);
  });

  it.each([
    ["syslog", "without a logger program", "syslog"],
    ["/dev/null/audit.jsonl", "with a file that cannot be made", "the file named in SEALTREE_AUDIT"],
  ])("warns and still writes the log when the copy goes to %s %s", (sink, _how, name) => {
    append([event], sink);
    expect(said).toEqual([`sealtree: warning: ${name} cannot be written\n`]);
    expect(readAudit(environment())).toHaveLength(1);
  });

  it("warns when logger fails", () => {
    installLogger("exit 1");
    append([event], "syslog");
    expect(said).toEqual(["sealtree: warning: syslog cannot be written\n"]);
  });

  it("warns and still writes the copy when the log cannot be written", () => {
    writeFileSync(join(folder, ".local"), "a file in the way");
    append([event], join(folder, "copy.jsonl"));
    expect(said).toEqual(["sealtree: warning: the audit log cannot be written\n"]);
    expect(existsSync(join(folder, "copy.jsonl"))).toBe(true);
  });
});

describe("readAudit", () => {
  it("leaves out lines that are no records, and reads nothing from a log that is not there or not ours", () => {
    expect(readAudit(environment())).toEqual([]);
    append([event]);
    const good = readFileSync(auditLogPath(environment()), "utf8");
    const odd = [
      "",
      "{",
      "null",
      "[]",
      '{"code":"HBSE-009"}',
      good.replace('"level":"info"', '"level":7').trimEnd(),
      good.slice(0, 40),
    ];
    writeFileSync(auditLogPath(environment()), `${odd.join("\n")}\n${good}`);
    expect(readAudit(environment())).toHaveLength(1);
    chmodSync(auditLogPath(environment()), 0o000);
    expect(readAudit(environment()).length).toBe(process.getuid?.() === 0 ? 1 : 0);
  });
});
