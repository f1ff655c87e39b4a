import { listReadableScopes } from "../../access/member-scopes.ts";
import { findOwnMember } from "../../access/own-member.ts";
import { isAdmin } from "../../access/permission.ts";
import { loadPolicy, sortedMembers, type Policy } from "../../access/policy.ts";
import { fingerprintOf, type Recipient } from "../../crypto/recipient.ts";
import { compareText } from "../../secret/text-order.ts";
import type { CommandModule } from "../command.ts";
import { count, table } from "../present.ts";
import { safeText } from "../safe-text.ts";

export const memberList: CommandModule = {
  arguments: "",
  kind: "read",
  description:
    "Lists the members of the policy, their roles and keys, and how many scopes each may read; then the recovery keys, and who was removed. Needs no key.",
  options: [],
  examples: [
    { command: "sealtree member list", description: "who is who" },
    { command: "sealtree member list --at main --json", description: "the members on main, for a script" },
  ],
  json: '{"version", "members": [{"name", "kind": "person"|"machine", "roles": [role], "is_admin", "is_you", "github"|null, "recipients": [{"kind", "fingerprint", "text"}], "signing_keys": number, "signing": [{"kind", "fingerprint", "text"}], "scopes": number}], "recovery": [{"name", "recipients"}], "removed": [{"name", "version"|null, "at"|null, "readmitted"|null, "keys": [{"fingerprint", "version", "at"}]}]}',
  async run(context) {
    context.about({ operation: "member list" });
    const tree = await context.tree();
    const policy = await loadPolicy(tree);
    const you = await findOwnMember(policy, context.session);
    const members = [];
    for (const member of sortedMembers(policy)) {
      const { name, kind, roles, github, recipients, signingKeys } = member;
      members.push({
        name,
        kind,
        roles,
        is_admin: isAdmin(policy, member),
        is_you: name === you?.name,
        github: github ?? null,
        recipients: recipients.map(describe),
        signing_keys: signingKeys.length,
        signing: signingKeys.map((text) => describe({ kind: text.split(" ")[0] ?? "", text })),
        scopes: (await listReadableScopes(tree, policy, name)).length,
      });
    }
    const recovery = [...policy.recovery].map(([name, recipients]) => ({ name, recipients: recipients.map(describe) }));
    const removed = listRemoved(policy);
    if (context.options.json) {
      context.json({ version: policy.version, members, recovery, removed });
      return;
    }
    const rows = members.map(({ name, kind, roles, is_admin, is_you, github, recipients, signing_keys, scopes }) => [
      is_you ? `${name} (you)` : name,
      kind,
      roles.join(", ") + (is_admin ? " (admin)" : ""),
      recipients.map(keyText).join(", "),
      signing_keys === 0 ? "" : count(signing_keys, "signing key"),
      count(scopes, "scope"),
      github === null ? "" : `github:${github}`,
    ]);
    const recoveryRows = recovery.map(({ name, recipients }) => [
      name,
      "recovery",
      "",
      recipients.map(keyText).join(", "),
      "",
      "every scope",
    ]);
    const removedRows = removed
      .filter(({ readmitted, keys }) => readmitted === null || keys.length > 0)
      .map(sayRemoved);
    for (const line of [...table([...rows, ...recoveryRows]), ...table(removedRows)]) context.line(safeText(line));
  },
};

/** Names that are out, and names of whom a key is out, with these keys. */
function listRemoved({ removed, removedKeys }: Policy) {
  const keys = [...removedKeys].filter(([, { readmitted }]) => readmitted === undefined);
  const names = new Set([...removed.keys(), ...keys.map(([, { member }]) => member)]);
  return [...names].toSorted(compareText).map((name) => {
    const entry = removed.get(name);
    return {
      name,
      version: entry?.version ?? null,
      at: entry?.at ?? null,
      readmitted: entry?.readmitted ?? null,
      keys: keys
        .filter(([, { member }]) => member === name)
        .map(([fingerprint, { version, at }]) => ({ fingerprint, version, at })),
    };
  });
}

function sayRemoved({ name, version, at, readmitted, keys }: ReturnType<typeof listRemoved>[number]): string[] {
  const when = version === null ? "" : readmitted === null ? `by version ${version}, ${at ?? ""}` : "is back";
  const gone =
    keys.length === 0 ? "" : `${count(keys.length, "key")}: ${keys.map((key) => key.fingerprint).join(", ")}`;
  return [name, "removed", when, gone];
}

function describe({ kind, text }: Pick<Recipient, "text"> & { readonly kind: string }) {
  return { kind, fingerprint: fingerprintOf(text), text };
}

function keyText({ kind, fingerprint }: { readonly kind: string; readonly fingerprint: string }): string {
  return `${kind} ${fingerprint}`;
}
