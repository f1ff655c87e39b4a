import { listReadableScopes } from "../../access/add-member.ts";
import { findOwnMember } from "../../access/own-member.ts";
import { isAdmin } from "../../access/permission.ts";
import { loadPolicy, sortedMembers } from "../../access/policy.ts";
import { fingerprintOf, type Recipient } from "../../crypto/recipient.ts";
import type { CommandModule } from "../command.ts";
import { count, table } from "../present.ts";
import { safeText } from "../safe-text.ts";

export const memberList: CommandModule = {
  arguments: "",
  kind: "read",
  description:
    "Lists the members of the policy, their roles and keys, and how many scopes each may read. Needs no key.",
  options: [],
  examples: [
    { command: "sealtree member list", description: "who is who" },
    { command: "sealtree member list --at main --json", description: "the members on main, for a script" },
  ],
  json: '{"version", "members": [{"name", "kind": "person"|"machine", "roles": [role], "is_admin", "is_you", "github"|null, "recipients": [{"kind", "fingerprint", "text"}], "signing_keys": number, "scopes": number}], "recovery": [{"name", "recipients"}]}',
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
        scopes: (await listReadableScopes(tree, policy, name)).length,
      });
    }
    const recovery = [...policy.recovery].map(([name, recipients]) => ({ name, recipients: recipients.map(describe) }));
    if (context.options.json) {
      context.json({ version: policy.version, members, recovery });
      return;
    }
    const rows = members.map(({ name, kind, roles, is_admin, is_you, github, recipients, scopes }) => [
      is_you ? `${name} (you)` : name,
      kind,
      roles.join(", ") + (is_admin ? " (admin)" : ""),
      recipients.map(keyText).join(", "),
      count(scopes, "scope"),
      github === null ? "" : `github:${github}`,
    ]);
    const recoveryRows = recovery.map(({ name, recipients }) => [
      name,
      "recovery",
      "",
      recipients.map(keyText).join(", "),
      "every scope",
      "",
    ]);
    for (const line of table([...rows, ...recoveryRows])) context.line(safeText(line));
  },
};

function describe({ kind, text }: Recipient) {
  return { kind, fingerprint: fingerprintOf(text), text };
}

function keyText({ kind, fingerprint }: { readonly kind: string; readonly fingerprint: string }): string {
  return `${kind} ${fingerprint}`;
}
