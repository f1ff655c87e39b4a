import { isDeepStrictEqual } from "node:util";
import { accessPolicyPath, rotationPolicyPath } from "../store/layout.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import { SealtreeError } from "../errors.ts";
import { accessRule, findAccessProblems, mergeVersion } from "./merge-access.ts";
import { mergeYaml, isMap, type YamlSides } from "./merge-yaml.ts";
import {
  readSide,
  sideNames,
  type Clash,
  type FileSides,
  type MergedContent,
  type ChooseSide,
} from "./merged-content.ts";
import { markConflicts, settleMarkers } from "./yaml-conflict.ts";
import { applySteps, entryAt, readYamlText, type YamlText } from "./yaml-steps.ts";

/** What of a policy merges as a whole: `members.bob`, and not a field of it. */
const entryDepths: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  [accessPolicyPath]: { members: 2, roles: 2, removed: 2, removed_keys: 2 },
  [rotationPolicyPath]: { defaults: 2, types: 2, secrets: 2 },
};

/**
 * Merges a policy entry by entry: a member, a role, a rule. The comments, the order and the
 * writing of ours stay, and an entry that comes from theirs looks as it does there. What both
 * changed, each in its own way, stands between conflict markers. Where the merge says what
 * neither side does, such as a role that is not defined, that is a conflict without markers.
 * Throws {@link UnreadableSide} for a version that is no policy.
 */
export function mergePolicy(file: string, sides: FileSides, choose: ChooseSide = () => undefined): MergedContent {
  if (sides.ours === undefined || sides.theirs === undefined)
    return { kind: "unmerged", why: `it was removed on ${sides.ours === undefined ? "our" : "their"} side` };
  const read = (side: "ours" | "theirs", bytes: Uint8Array) =>
    readSide(sideNames[side], () => readYamlText(file, textOf(bytes, file)));
  const [ours, theirs] = [read("ours", sides.ours), read("theirs", sides.theirs)];
  const bases = readSide(sideNames.base, () => readBases(file, sides.base));
  const data: YamlSides = { bases, ours: ours.data, theirs: theirs.data };
  const isAccess = file === accessPolicyPath;
  const { steps, conflicts } = mergeYaml(data, {
    depthOf: (key) => entryDepths[file]?.[key] ?? 1,
    rule: (path, entry) => (isAccess ? accessRule(path, entry) : undefined),
    choose: (path) => choose(path.join(".")),
  });
  const merged = applySteps(ours, theirs, [...steps, ...(isAccess ? mergeVersion(data) : [])]);
  if (conflicts.length > 0) return conflictIn({ merged, ours, theirs }, conflicts);
  const clashes = findNewProblems({ merged, ours, theirs });
  return clashes.length === 0
    ? { kind: "merged", text: merged.text }
    : { kind: "conflict", text: merged.text, clashes };
}

interface MergedPolicy {
  readonly merged: YamlText;
  readonly ours: YamlText;
  readonly theirs: YamlText;
}

function conflictIn({ merged, ours, theirs }: MergedPolicy, conflicts: readonly (readonly string[])[]): MergedContent {
  const names = conflicts.map((path) => path.join("."));
  const text = markConflicts(merged, theirs, conflicts);
  if (text === undefined)
    return { kind: "unmerged", why: `both sides changed ${names.join(", ")}, and the file has no lines to mark` };
  const clashes = conflicts.map((path): Clash => {
    const isRemoval = [ours, theirs].some(({ data }) => entryAt(data, path) === undefined);
    const what = isRemoval ? "was removed on one side and set on the other" : "was changed on both sides";
    return { name: path.join("."), what, hasMarkers: true };
  });
  return { kind: "conflict", text, clashes };
}

/** What is wrong in the merge and in neither side. */
function findNewProblems({ merged, ours, theirs }: MergedPolicy): Clash[] {
  const find = merged.file === accessPolicyPath ? findAccessProblems : findTypeProblems;
  const known = new Set([...find(ours), ...find(theirs)]);
  return find(merged)
    .filter((problem) => !known.has(problem))
    .map((what) => ({ name: "both sides together", what: `do not fit: ${what}`, hasMarkers: false }));
}

/** Rules of `policies/rotation.yaml` whose type is not defined. */
function findTypeProblems({ data }: YamlText): string[] {
  const types = data["types"];
  const rules = data["secrets"];
  if (!isMap(rules)) return [];
  return Object.entries(rules).flatMap(([address, rule]) => {
    const type = isMap(rule) ? rule["type"] : undefined;
    const isDefined = typeof type !== "string" || (isMap(types) && Object.hasOwn(types, type));
    return isDefined ? [] : [`${address} has the type ${type}, which is not defined`];
  });
}

/** The base; where its own bases were in conflict, git hands it in with markers, and it is one of two. */
function readBases(file: string, bytes: Uint8Array | undefined): YamlSides["bases"] {
  if (bytes === undefined || bytes.length === 0) return [{}];
  const text = textOf(bytes, file);
  const texts = /^<{7} /m.test(text) ? [settleMarkers(text, "ours"), settleMarkers(text, "theirs")] : [text];
  const bases = texts.map((each) => readYamlText(file, each).data);
  return isDeepStrictEqual(bases[0], bases[1]) ? bases.slice(0, 1) : bases;
}

function textOf(bytes: Uint8Array, file: string): string {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return text;
  throw new SealtreeError("E_POLICY_INVALID", `${file}: the file is not UTF-8`, { file });
}
