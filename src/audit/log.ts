import { appendFileSync, closeSync, mkdirSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Environment } from "../git/place.ts";
import { stateDirectory } from "../identity/locations.ts";
import { toRecord, type AuditEvent, type AuditOrigin, type AuditRecord } from "./event.ts";

/** Where the log finds its folder, and says what it cannot do. */
export interface AuditIo {
  readonly env: Environment;
  readonly stderr: { write(text: string): unknown };
}

/** Size in bytes beyond which a log is put aside. */
export const maxLogBytes = 5 * 1024 * 1024;

/** A lock older than this was left by a process that is gone. */
const staleLockMs = 10_000;

/** The user's audit log: JSON lines, newest last. The file before it ends in `.1`. */
export function auditLogPath(env: Environment): string {
  return join(stateDirectory(env), "audit.jsonl");
}

/**
 * Appends events to the user's log, and to SEALTREE_AUDIT when that is `stderr`, `syslog` or
 * the path of a file; `off` keeps none. All events of one call are one write. A place that
 * cannot be written is said on stderr; it stops neither the others nor the command.
 */
export function appendAudit(io: AuditIo, now: Date, events: readonly AuditEvent[], origin: AuditOrigin): void {
  const sink = io.env["SEALTREE_AUDIT"];
  if (events.length === 0 || sink === "off") return;
  const records = events.map((event) => toRecord(event, origin, now));
  const lines = printLines(records);
  attempt(io, "the audit log", () => appendToLog(auditLogPath(io.env), lines));
  if (sink === undefined || sink === "") return;
  if (sink === "stderr") io.stderr.write(lines);
  else if (sink === "syslog") attempt(io, "syslog", () => sendToSyslog(io.env, records));
  else attempt(io, "the file named in SEALTREE_AUDIT", () => appendFileSync(sink, lines, { mode: 0o600 }));
}

function printLines(records: readonly AuditRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

function attempt(io: AuditIo, what: string, work: () => void): void {
  try {
    work();
  } catch {
    io.stderr.write(`sealtree: warning: ${what} cannot be written\n`);
  }
}

function appendToLog(path: string, lines: string): void {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  else if (status.size > maxLogBytes) putAside(path);
  appendFileSync(path, lines, { mode: 0o600 });
}

function isFull(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes;
}

/** Renames a full log. Of several processes one does it: a second rename would lose the first. */
function putAside(path: string): void {
  const lock = `${path}.lock`;
  const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  if (since !== undefined && Date.now() - since > staleLockMs) rmSync(lock, { force: true });
  try {
    closeSync(openSync(lock, "wx", 0o600));
  } catch {
    return;
  }
  try {
    if (isFull(path)) renameSync(path, `${path}.1`);
  } finally {
    rmSync(lock, { force: true });
  }
}

const severities = { info: "info", warn: "warning", error: "err" } as const satisfies Record<
  AuditRecord["level"],
  string
>;

/** Hands records to the `logger` program, one run a level; they go through its stdin, never its arguments. */
function sendToSyslog(env: Environment, records: readonly AuditRecord[]): void {
  // Loaded when used: most runs have no syslog, and it takes time to load.
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  for (const level of new Set(records.map((record) => record.level))) {
    const { status } = spawnSync("logger", ["-t", "sealtree", "-p", `user.${severities[level]}`], {
      input: printLines(records.filter((record) => record.level === level)),
      env: { PATH: env["PATH"] ?? "" },
      stdio: ["pipe", "ignore", "ignore"],
      timeout: 5000,
    });
    if (status !== 0) throw new Error("logger failed");
  }
}
