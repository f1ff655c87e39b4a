import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { errnoOf, SealtreeError } from "../errors.ts";

export interface LockOptions {
  /** How long to wait for another holder, in milliseconds. */
  readonly timeoutMs: number;
}

const staleAfterMs = 30 * 60 * 1000;
const pollMs = 15;

/**
 * Runs `work` while holding the lock file at `path`, so that writers of one repository take
 * turns. A lock whose process is gone (same host) or that is older than 30 minutes (another
 * host) is taken over. Throws E_LOCKED after `timeoutMs`.
 */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const mine = await acquire(path, options.timeoutMs);
  try {
    sweepDrafts(path);
    return await work();
  } finally {
    if (readLock(path) === mine) rmSync(path, { force: true });
  }
}

/** Whether somebody holds the lock at `path`; `stale` when the holder is gone and the next writer takes it over. */
export function inspectLock(path: string): "free" | "held" | "stale" {
  const holder = readLock(path);
  return holder === undefined ? "free" : isStale(holder) ? "stale" : "held";
}

async function acquire(path: string, timeoutMs: number): Promise<string> {
  const mine = `${process.pid} ${processStart(process.pid) ?? "-"} ${hostname()} ${Date.now()} ${randomBytes(8).toString("hex")}\n`;
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (tryCreate(path, mine)) return mine;
    const holder = readLock(path);
    if (holder !== undefined && isStale(holder)) takeAway(path, holder);
    else if (Date.now() > deadline) throw lockedError(path, holder);
    else await new Promise((resolve) => setTimeout(resolve, pollMs * (0.5 + Math.random())));
  }
}

/** Creates the lock whole or not at all, by linking a finished file into place. */
function tryCreate(path: string, content: string): boolean {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const descriptor = openSync(draft, "wx", 0o600);
    writeFileSync(descriptor, content);
    closeSync(descriptor);
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw new SealtreeError("E_IO", `the lock ${path} cannot be made (${errnoOf(error) ?? "unknown error"})`, {
      cause: error,
    });
  } finally {
    rmSync(draft, { force: true });
  }
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function isStale(holder: string): boolean {
  const [pid = "", start, host, since = ""] = holder.trim().split(" ");
  if (host !== hostname()) return Date.now() - Number(since) > staleAfterMs;
  const running = processStart(Number(pid));
  return running === undefined || (start !== "-" && running !== start);
}

/**
 * Moves a stale lock aside. Should another process have taken the lock over in between, what
 * was moved is not the stale one: it is put back.
 */
function takeAway(path: string, stale: string): void {
  const aside = `${path}.stale.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    renameSync(path, aside);
    if (readLock(aside) !== stale) linkSync(aside, path);
  } catch {
    return;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Removes what processes that were killed while they took the lock left beside it. */
function sweepDrafts(path: string): void {
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const pid = /\.([0-9]+)\.[0-9a-f]{8}$/.exec(name)?.[1];
    const draft = join(dirname(path), name);
    const holder = readLock(draft);
    if (pid === undefined || holder === undefined) continue;
    if (holder === "" ? processStart(Number(pid)) === undefined : isStale(holder)) rmSync(draft, { force: true });
  }
}

/** When a process started, as the system counts; "-" where only its being alive is known; undefined when it is gone. */
function processStart(pid: number): string | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, "utf8");
    return status.slice(status.lastIndexOf(")") + 2).split(" ")[19];
  } catch (error) {
    if (process.platform === "linux" && errnoOf(error) === "ENOENT") return undefined;
  }
  try {
    process.kill(pid, 0);
    return "-";
  } catch (error) {
    return errnoOf(error) === "EPERM" ? "-" : undefined;
  }
}

function lockedError(path: string, holder: string | undefined): SealtreeError {
  const pid = holder?.split(" ")[0];
  return new SealtreeError("E_LOCKED", "another sealtree command is writing in this repository", {
    hints: [pid === undefined ? "try again" : `wait for process ${pid}, or remove ${path} if it is gone`],
  });
}
