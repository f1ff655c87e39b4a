import { isMap, isNode, isScalar, isSeq, stringify, type YAMLMap } from "yaml";
import { accessPolicyPath } from "../store/layout.ts";
import { parseStrictYaml } from "../store/strict-yaml.ts";

/** A member's entry in `policies/access.yaml`. */
export interface WrittenMember {
  readonly name: string;
  readonly kind: "person" | "machine";
  readonly github: string | undefined;
  readonly roles: readonly string[];
}

/**
 * The policy text with another version. Every other byte stays: the document says where the
 * version stands, and the text is edited there. Throws E_POLICY_INVALID.
 */
export function setPolicyVersion(text: string, version: number): string {
  const node = parseText(text).get("version", true);
  if (!isScalar(node) || !node.range) return text;
  return text.slice(0, node.range[0]) + String(version) + text.slice(node.range[1]);
}

/**
 * The policy text with one more member, on a line of its own after the last. Every other byte
 * stays, unless the members are a flow map (`members: {}`): then the file is printed anew, with
 * its comments and order. Throws E_POLICY_INVALID.
 */
export function addPolicyMember(text: string, member: WrittenMember): string {
  const document = parseText(text);
  const members = document.get("members");
  const last = isMap(members) ? members.items.at(-1) : undefined;
  const end = last === undefined ? undefined : endOf(last.value);
  const indent = isMap(members) ? indentOf(text, members) : undefined;
  if (end !== undefined && indent !== undefined) {
    const newline = text.indexOf("\n", end);
    const [before, after] = newline < 0 ? [`${text}\n`, ""] : [text.slice(0, newline + 1), text.slice(newline + 1)];
    return `${before}${indent}${printMember(member)}\n${after}`;
  }
  document.setIn(["members", member.name], document.createNode(toFields(member), { flow: true }));
  const added = document.get("members");
  if (isMap(added)) added.flow = false;
  return document.toString({ lineWidth: 0 });
}

function parseText(text: string) {
  return parseStrictYaml(Buffer.from(text), accessPolicyPath).document;
}

/** The white space before the members of a block map; undefined for a flow map. */
function indentOf(text: string, members: YAMLMap): string | undefined {
  const key = members.items[0]?.key;
  if (members.flow === true || !isScalar(key) || !key.range) return undefined;
  return text.slice(text.lastIndexOf("\n", key.range[0]) + 1, key.range[0]);
}

/** Where the last thing of a node ends, before a comment that follows it. */
function endOf(node: unknown): number | undefined {
  if (isMap(node) && node.flow !== true) return endOf(node.items.at(-1)?.value);
  if (isSeq(node) && node.flow !== true) return endOf(node.items.at(-1));
  return isNode(node) ? node.range?.[1] : undefined;
}

function printMember(member: WrittenMember): string {
  const fields = Object.entries(toFields(member)).map(
    ([key, value]) => `${key}: ${Array.isArray(value) ? `[${value.map(quote).join(", ")}]` : quote(String(value))}`,
  );
  return `${quote(member.name)}: { ${fields.join(", ")} }`;
}

function toFields({ kind, github, roles }: WrittenMember): Record<string, string | readonly string[]> {
  return { ...(kind === "machine" ? { kind } : {}), ...(github === undefined ? {} : { github }), roles };
}

/** As YAML takes it for text: a name such as `on`, `null` or `123` needs quotes. */
function quote(text: string): string {
  return stringify(text, { lineWidth: 0 }).trimEnd();
}
