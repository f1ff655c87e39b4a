import type { Session } from "../access/session.ts";
import type { GitPlace } from "../git/place.ts";

/** One thing that `doctor` looked at. */
export interface Diagnosis {
  /** Such as `git` or `identity files`. */
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  /** What was found; never a key or a value. */
  readonly message: string;
  /** The command or change that mends it. */
  readonly fix?: string;
}

/** Where the doctor stands. */
export interface Patient {
  /** Absolute; where the command was started. */
  readonly directory: string;
  readonly session: Session;
  readonly env: GitPlace["env"];
  /** The words that start this program: node and the script. */
  readonly self: readonly [string, string];
}

export function ok(name: string, message: string): Diagnosis {
  return { name, status: "ok", message };
}

export function warn(name: string, message: string, fix: string): Diagnosis {
  return { name, status: "warn", message, fix };
}

export function fail(name: string, message: string, fix: string): Diagnosis {
  return { name, status: "fail", message, fix };
}
