import { SealtreeError } from "../../errors.ts";
import type { Exposure, ExposedValue } from "../../history/exposure.ts";
import type { SubjectQuery } from "../../history/exposure-subject.ts";
import { findWay } from "../../rotation/exposed.ts";
import { loadRotationPolicy, type RotationPolicy } from "../../rotation/policy.ts";
import { printAddress } from "../../secret/address.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { exposedJson, loadExposure, sayGaps, sayWay } from "../load-exposure.ts";
import { count, relativeTime, table } from "../present.ts";
import { safeText } from "../safe-text.ts";

export const exposure: CommandModule = {
  arguments: "[member]",
  kind: "plain",
  description:
    "Lists the values in force that a member could ever read, from all of the history: what they could read stays read until it gets a new value. Works for members who are gone, for recovery keys, and with --key for one key. Needs no key. docs/exposure.md has the exact rule.",
  options: [
    { flags: "--key <fingerprint>", description: "ask about one key, whoever had it" },
    { flags: "--scope <pattern>", description: "look at these scopes only, such as prod/**" },
    { flags: "--all-refs", description: "read the history of all branches, tags and the stash too" },
  ],
  examples: [
    { command: "sealtree exposure bob", description: "what bob could read and is still in force" },
    { command: "sealtree exposure bob --scope 'prod/**' --json", description: "production only, for a script" },
    { command: "sealtree exposure --key 0f1e2d3c4b5a6978", description: "what a lost key could open" },
  ],
  json: '{"member": name|null, "is_member": boolean, "keys": [fingerprint], "removed": {"version", "at"}|null, "exposed": [{"scope", "name", "value_id", "set_at", "first_readable": {"commit","at"}|null, "can_still_read": boolean, "is_still_wrapped": boolean, "lost_access": {"commit","at"}|null, "is_committed": boolean, "rotation": {"rotator", "owner"|null, "runbook"|null, "is_automatic": boolean}|null}], "rotated_since": number, "complete": boolean, "warnings": [text]}',
  async run(context, [name], options) {
    context.about({ operation: "exposure" });
    const who = parseSubject(name, options["key"]);
    const pattern = typeof options["scope"] === "string" ? options["scope"] : undefined;
    const found = await loadExposure(context, who, { allRefs: options["allRefs"] === true, pattern });
    const policy = await loadRotationPolicy(openWorkTree(context.place().root));
    if (context.options.json) printJson(context, found, policy);
    else printWords(context, found, policy);
  },
};

function parseSubject(name: string | undefined, key: unknown): SubjectQuery {
  if (typeof key === "string" && name === undefined) return { fingerprint: key };
  if (name !== undefined && key === undefined) return { name };
  throw new SealtreeError("E_USAGE", "give a member or --key, and one of them only", {
    hints: ["sealtree member list shows the members and their keys"],
  });
}

function printJson(context: Context, found: Exposure, policy: RotationPolicy): void {
  const { subject, exposed, rotatedSince, isComplete, warnings } = found;
  const { removed } = subject;
  context.json({
    member: subject.name ?? null,
    is_member: subject.isMember,
    keys: [...subject.fingerprints],
    removed: removed === undefined ? null : { version: removed.version, at: removed.at },
    exposed: exposed.map((value) => exposedJson(value, policy)),
    rotated_since: rotatedSince,
    complete: isComplete,
    warnings,
  });
}

function printWords(context: Context, found: Exposure, policy: RotationPolicy): void {
  const { subject, exposed, rotatedSince } = found;
  const now = context.io.now().getTime();
  const rows = exposed.map((value) => [
    `${printAddress(value)}${value.place === "commit" ? "" : " (not committed)"}`,
    `set ${relativeTime(value.createdAt * 1000, now)}`,
    sayFirst(value, now),
    sayAccess(value, now),
    sayWay(findWay(policy, value)),
  ]);
  for (const line of table(rows)) context.line(safeText(line));
  const who = subject.name ?? "that key";
  context.say(
    `${who} could read ${count(exposed.length, "secret")} that ${exposed.length === 1 ? "is" : "are"} in force`,
  );
  if (rotatedSince > 0) context.say(`${count(rotatedSince, "secret")} got a value since that ${who} could never read`);
  if (exposed.length > 0 && subject.name !== undefined) {
    const isAutomatic = exposed.some((value) => findWay(policy, value)?.isAutomatic === true);
    const rest = isAutomatic
      ? `sealtree rotate --exposed-to ${who}`
      : "get new values from the providers, then sealtree set ADDRESS";
    context.say(`to close it: ${subject.isMember ? `sealtree offboard ${who}` : rest}`);
  }
  sayGaps(context, found);
}

function sayFirst({ firstReadable }: ExposedValue, now: number): string {
  if (firstReadable === undefined) return "readable when committed";
  return `readable since ${firstReadable.commit.slice(0, 9)}, ${relativeTime(Date.parse(firstReadable.at), now)}`;
}

function sayAccess({ canStillRead, isStillWrapped, lost }: ExposedValue, now: number): string {
  if (canStillRead) return "reads it now";
  if (isStillWrapped) return "has no right to it, but its keyring still opens: sealtree rekey";
  if (lost === undefined) return "reads it no more";
  return `lost access in ${lost.commit.slice(0, 9)}, ${relativeTime(Date.parse(lost.at), now)}`;
}
