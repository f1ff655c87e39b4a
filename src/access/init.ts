import type { Recipient } from "../crypto/recipient.ts";
import type { FileChange } from "../store/write.ts";
import { accessPolicyPath, memberPath, rotationPolicyPath } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import { defaultAccessPolicy, defaultRotationPolicy } from "./default-policy.ts";

/** The policy files of a new repository with one member; empty when there is a policy already. */
export async function planFirstPolicy(
  tree: Tree,
  member: string,
  recipients: readonly Recipient[],
): Promise<FileChange[]> {
  if ((await tree.read(accessPolicyPath)) !== undefined) return [];
  const changes: FileChange[] = [
    { path: memberPath(member), bytes: `${recipients.map(({ text }) => text).join("\n")}\n` },
  ];
  if ((await tree.read(rotationPolicyPath)) === undefined)
    changes.push({ path: rotationPolicyPath, bytes: defaultRotationPolicy() });
  changes.push({ path: accessPolicyPath, bytes: defaultAccessPolicy(member) });
  return changes;
}

/** A member name made from a person's name; undefined when nothing usable is in it. */
export function toMemberName(text: string): string | undefined {
  const name = text
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, 63)
    .replace(/-+$/, "");
  return name === "" ? undefined : name;
}
