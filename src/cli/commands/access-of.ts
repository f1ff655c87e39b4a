import { explainMember } from "../../access/explain.ts";
import { isAdmin } from "../../access/permission.ts";
import { requireMember } from "../../access/require-member.ts";
import { loadPolicy } from "../../access/policy.ts";
import { listScopes, readScope } from "../../store/keyring.ts";
import { lettersLegend, printLetters } from "../access-letters.ts";
import type { CommandModule } from "../command.ts";
import { count, table } from "../present.ts";
import { safeText } from "../safe-text.ts";

export const accessOf: CommandModule = {
  arguments: "<member>",
  kind: "read",
  description:
    "Lists the scopes in which a member may do something by the policy, what that is, and how many secrets are there. Needs no key. sealtree exposure MEMBER says what they could read earlier.",
  options: [],
  examples: [
    { command: "sealtree access of bob", description: "what bob may do" },
    { command: "sealtree access of deploy --at main --json", description: "a machine's reach on main" },
  ],
  json: '{"member", "kind": "person"|"machine", "roles": [role], "is_admin": boolean, "scopes": [{"scope", "allowed": [action], "secrets": number}], "readable_secrets": number}',
  async run(context, [name = ""]) {
    context.about({ operation: "access of" });
    const tree = await context.tree();
    const policy = await loadPolicy(tree);
    const member = requireMember(policy, name);
    const scopes = [];
    for (const scope of await listScopes(tree)) {
      const { allowed } = explainMember(policy, member, scope);
      if (allowed.length === 0) continue;
      scopes.push({ scope, allowed, secrets: (await readScope(tree, scope))?.size ?? 0 });
    }
    const readable = scopes
      .filter(({ allowed }) => allowed.includes("read"))
      .reduce((total, { secrets }) => total + secrets, 0);
    const { kind, roles } = member;
    if (context.options.json) {
      context.json({
        member: name,
        kind,
        roles,
        is_admin: isAdmin(policy, member),
        scopes,
        readable_secrets: readable,
      });
      return;
    }
    const rows = scopes.map(({ scope, allowed, secrets }) => [scope, printLetters(allowed), count(secrets, "secret")]);
    for (const line of table(rows)) context.line(safeText(line));
    const admin = isAdmin(policy, member) ? ", and may change the policy" : "";
    context.say(`${name} (${roles.join(", ")}) may read ${count(readable, "secret")} now${admin}`);
    if (rows.length > 0) context.say(lettersLegend);
  },
};
