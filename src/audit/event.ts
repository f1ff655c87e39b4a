import { hostname, userInfo } from "node:os";
import { auditCodes, type AuditKind } from "./codes.ts";

/** Something that happened to a secret, or was refused. Never holds a value. */
export interface AuditEvent {
  readonly kind: AuditKind;
  readonly operation: string;
  readonly scope?: string | undefined;
  readonly name?: string | undefined;
  readonly outcome: "ok" | "refused" | "failed";
  /** Member, and how it was known. */
  readonly member?: string | undefined;
  readonly knownBy?: "identity" | "keyring" | undefined;
  readonly reason?: string | undefined;
  readonly commit?: string | undefined;
  /** Error code, for what was refused or failed. */
  readonly error?: string | undefined;
}

/** The run of a command that events belong to. */
export interface AuditOrigin {
  /** Root of the repository; undefined when none was open. */
  readonly repository?: string | undefined;
  /** The same for all events of one run. */
  readonly request: string;
}

/** One line of the log. */
export interface AuditRecord {
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly code: string;
  readonly level: "info" | "warn" | "error";
  readonly actor: {
    readonly member?: string | undefined;
    readonly known_by?: string | undefined;
    /** Login name; in the view of history, `Name <email>` of the commit's author. */
    readonly user: string;
  };
  readonly operation: string;
  readonly scope?: string | undefined;
  readonly name?: string | undefined;
  readonly outcome: string;
  readonly reason?: string | undefined;
  readonly commit?: string | undefined;
  readonly error?: string | undefined;
  readonly repository?: string | undefined;
  readonly request?: string | undefined;
  readonly host?: string | undefined;
}

/** The record of an event that happens now, on this machine. */
export function toRecord(event: AuditEvent, origin: AuditOrigin, now: Date): AuditRecord {
  const { member, knownBy, kind, ...rest } = event;
  const { code, level } = auditCodes[kind];
  const actor = { member, known_by: knownBy, user: userName() };
  return { time: now.toISOString(), code, level, actor, ...rest, ...origin, host: hostname() };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "unknown";
  }
}
