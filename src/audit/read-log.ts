import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Environment } from "../git/place.ts";
import type { AuditRecord } from "./event.ts";
import { auditLogPath } from "./log.ts";

const text = z.string().optional();

const recordSchema: z.ZodType<AuditRecord> = z.object({
  time: z.iso.datetime(),
  code: z.string(),
  level: z.enum(["info", "warn", "error"]),
  actor: z.object({ member: text, known_by: text, user: z.string() }),
  operation: z.string(),
  scope: text,
  name: text,
  outcome: z.string(),
  reason: text,
  commit: text,
  error: text,
  repository: text,
  request: text,
  host: text,
});

/**
 * All records of the user's log, oldest first, the file put aside included. Lines that are
 * not records, such as one a crash cut off, are left out.
 */
export function readAudit(env: Environment): AuditRecord[] {
  const path = auditLogPath(env);
  return [`${path}.1`, path].flatMap((file) => readLines(file)).flatMap(parseLine);
}

function parseLine(line: string): AuditRecord[] {
  try {
    const { data } = recordSchema.safeParse(JSON.parse(line));
    return data === undefined ? [] : [data];
  } catch {
    return [];
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return [];
  }
}
