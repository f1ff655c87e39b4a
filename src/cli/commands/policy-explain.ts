import { explainMember } from "../../access/explain.ts";
import { loadPolicy, sortedMembers, type Policy, type Role } from "../../access/policy.ts";
import { matchesPatterns } from "../../access/scope-pattern.ts";
import type { ScopePath } from "../../secret/address.ts";
import { listScopes } from "../../store/keyring.ts";
import { accessPolicyPath } from "../../store/layout.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count, table } from "../present.ts";
import { safeText } from "../safe-text.ts";

const words = {
  postQuantum: {
    require: "every recipient must be post-quantum",
    prefer: "classical recipients are allowed, and check names the scopes they weaken",
    off: "any recipient is allowed",
  },
  signing: {
    off: "commits need no signature",
    warn: "an unsigned commit is a warning",
    require: "every commit must be signed by who may make it",
  },
} as const;

export const policyExplain: CommandModule = {
  arguments: "",
  kind: "read",
  description:
    "Says the access policy in words: what each role allows and in how many scopes of today, who has it, who changes the policy, and which scopes nobody may read. Needs no key.",
  options: [],
  examples: [
    { command: "sealtree policy explain", description: "the policy of the work tree" },
    { command: "sealtree policy explain --at main", description: "what holds on main" },
  ],
  json: '{"version", "post_quantum", "signing", "roles": [{"name", "is_admin": boolean, "members": [name], "grants": [{"scopes": [pattern], "allow": [action], "matches": number}]}], "unreadable": [scope], "recovery": [name], "removed": [{"name", "version", "at", "readmitted"|null}]}',
  async run(context) {
    context.about({ operation: "policy explain" });
    const tree = await context.tree();
    const policy = await loadPolicy(tree);
    const scopes = await listScopes(tree);
    const roles = [...policy.roles].map(([name, role]) => describeRole(policy, name, role, scopes));
    const members = sortedMembers(policy);
    const unreadable = scopes.filter((scope) =>
      members.every((member) => !explainMember(policy, member, scope).allowed.includes("read")),
    );
    const described: Described = { policy, scopes, roles, unreadable };
    if (context.options.json) printJson(context, described);
    else printText(context, described);
  },
};

interface DescribedRole {
  readonly name: string;
  readonly isAdmin: boolean;
  readonly members: readonly string[];
  /** With the number of scopes of today that some holder of the role has through it. */
  readonly grants: readonly { scopes: readonly string[]; allow: readonly string[]; matches: number }[];
}

interface Described {
  readonly policy: Policy;
  readonly scopes: readonly ScopePath[];
  readonly roles: readonly DescribedRole[];
  readonly unreadable: readonly ScopePath[];
}

function describeRole(
  policy: Policy,
  name: string,
  { isAdmin, grants }: Role,
  scopes: readonly ScopePath[],
): DescribedRole {
  const holders = sortedMembers(policy).filter(({ roles }) => roles.includes(name));
  // A role that nobody has still says what it would give: `${member}` then stands for nobody.
  const names = holders.length === 0 ? [""] : holders.map((member) => member.name);
  return {
    name,
    isAdmin,
    members: holders.map((member) => member.name),
    grants: grants.map(({ scopes: patterns, allow }) => ({
      scopes: patterns,
      allow,
      matches: scopes.filter((scope) => names.some((member) => matchesPatterns(patterns, scope, member))).length,
    })),
  };
}

function printJson(context: Context, { policy, roles, unreadable }: Described): void {
  context.json({
    version: policy.version,
    post_quantum: policy.postQuantum,
    signing: policy.signing,
    roles: roles.map(({ name, isAdmin, members, grants }) => ({ name, is_admin: isAdmin, members, grants })),
    unreadable,
    recovery: [...policy.recovery.keys()],
    removed: [...policy.removed].map(([name, { version, at, readmitted }]) => ({
      name,
      version,
      at,
      readmitted: readmitted ?? null,
    })),
  });
}

function printText(context: Context, { policy, scopes, roles, unreadable }: Described): void {
  const print = (lines: readonly string[]) => lines.forEach((line) => context.line(safeText(line)));
  print([
    `${accessPolicyPath}, version ${policy.version}, for ${count(scopes.length, "scope")}`,
    `post_quantum ${policy.postQuantum}: ${words.postQuantum[policy.postQuantum]}`,
    `signing ${policy.signing}: ${words.signing[policy.signing]}`,
    "",
  ]);
  print(table(roles.flatMap(roleRows)));
  if (policy.recovery.size > 0) print(["", `wrapped into every scope: ${[...policy.recovery.keys()].join(", ")}`]);
  const removed = [...policy.removed].map(([name, { version, at, readmitted }]) =>
    readmitted === undefined
      ? `removed: ${name}, by version ${version} on ${at}`
      : `removed by version ${version} and readmitted by version ${readmitted}: ${name}`,
  );
  if (removed.length > 0) print(["", ...removed]);
  if (unreadable.length > 0) print(["", `nobody may read: ${unreadable.join(", ")}`]);
}

function roleRows({ name, isAdmin, members, grants }: DescribedRole): string[][] {
  const who = members.length === 0 ? "nobody has it" : members.join(", ");
  const lines = [
    ...(isAdmin ? ["may change the policy"] : []),
    ...grants.map(
      ({ allow, scopes, matches }) => `may ${allow.join(", ")} in ${sayPatterns(scopes)} (${count(matches, "scope")})`,
    ),
  ];
  const [first = "allows nothing", ...others] = lines;
  return [[name, who, first], ...others.map((line) => ["", "", line])];
}

/** `prod/** but not prod/admin`, in the order in which they decide. */
function sayPatterns(patterns: readonly string[]): string {
  return patterns
    .map((pattern, index) => {
      if (pattern.startsWith("!")) return `but not ${pattern.slice(1)}`;
      return index === 0 ? pattern : `and ${pattern}`;
    })
    .join(" ");
}
