import { z } from "zod";
import { SealtreeError } from "../errors.ts";
import { isScopePath, type ScopePath } from "../secret/address.ts";
import { policyError, type Finding } from "../store/finding.ts";
import { readChecked } from "../store/schema-findings.ts";
import type { Tree } from "../store/tree.ts";
import { explainMember } from "./explain.ts";
import type { Member, Policy } from "./policy.ts";
import { actions, type Action } from "./policy-schema.ts";

/** Where the expectations stand. */
export const policyTestPath = "policies/access.test.yaml";

const scope = z.string().refine(isScopePath, "not a scope path, such as prod/api; patterns belong into the policy");
const name = z.string().min(1).max(63);

const testSchema = z.strictObject({
  tests: z.array(
    z
      .strictObject({
        members: z.array(name).default([]),
        roles: z.array(name).default([]),
        scopes: z.array(scope).min(1),
        can: z.array(z.enum(actions)).default([]),
        cannot: z.array(z.enum(actions)).default([]),
      })
      .refine(({ members, roles }) => members.length + roles.length > 0, "name members or roles")
      .refine(({ can, cannot }) => can.length + cannot.length > 0, "say what they can or cannot do"),
  ),
});

/** One expectation: may somebody do something in a scope. */
export interface PolicyExpectation {
  /** `bob`, or `role engineer` for whoever has only that role. */
  readonly who: string;
  readonly action: Action;
  readonly scope: ScopePath;
  readonly expected: boolean;
  readonly holds: boolean;
  /** One-based line of the test in {@link policyTestPath}. */
  readonly line: number;
  /** Why it is as it is, such as `engineer: prod/**`; undefined when no grant says anything. */
  readonly because: string | undefined;
}

/**
 * Compares a policy with the expectations of `policies/access.test.yaml`. Throws
 * E_FILE_NOT_FOUND when there are none, and E_POLICY_INVALID for a file that is not right or
 * that names a member or a role the policy does not have.
 */
export async function testPolicy(tree: Tree, policy: Policy): Promise<PolicyExpectation[]> {
  const bytes = await tree.read(policyTestPath);
  if (bytes === undefined) {
    throw new SealtreeError("E_FILE_NOT_FOUND", `no ${policyTestPath} in ${tree.label}`, {
      hints: ["write one: docs/access.md, Test the policy"],
    });
  }
  const findings: Finding[] = [];
  const parsed = readChecked(bytes, policyTestPath, { schema: testSchema, rule: "policy-test", findings });
  const [first, ...others] = findings;
  if (first !== undefined || parsed === undefined) {
    throw policyError(
      first ?? { rule: "policy-test", severity: "error", message: "not valid", file: policyTestPath },
      others,
    );
  }
  return parsed.data.tests.flatMap((test, index) => {
    const line = parsed.document.lineOf(["tests", index]);
    const subjects = [
      ...test.members.map((member) => [member, findMember(policy, member, line)] as const),
      ...test.roles.map((role) => [`role ${role}`, holderOf(policy, role, line)] as const),
    ];
    const wanted = [
      ...test.can.map((action) => ({ action, expected: true })),
      ...test.cannot.map((action) => ({ action, expected: false })),
    ];
    return subjects.flatMap(([who, member]) =>
      test.scopes.flatMap((path) =>
        wanted.map(({ action, expected }) =>
          expectationOf({ policy, who, member, scope: path, action, expected, line }),
        ),
      ),
    );
  });
}

interface Asked {
  readonly policy: Policy;
  readonly who: string;
  readonly member: Member;
  readonly scope: ScopePath;
  readonly action: Action;
  readonly expected: boolean;
  readonly line: number;
}

function expectationOf({ policy, member, ...asked }: Asked): PolicyExpectation {
  const { allowed, reasons } = explainMember(policy, member, asked.scope);
  const isAllowed = allowed.includes(asked.action);
  const reason = reasons.find(({ covers, allow }) => covers === isAllowed && allow.includes(asked.action));
  return {
    ...asked,
    holds: isAllowed === asked.expected,
    because: reason === undefined ? undefined : `${reason.role}: ${reason.pattern}`,
  };
}

function findMember(policy: Policy, member: string, line: number): Member {
  const found = policy.members.get(member);
  if (found === undefined) throw unknown("a member", line, [...policy.members.keys()]);
  return found;
}

/** Somebody with one role and no name of their own, for whom `${member}` stands for nobody. */
function holderOf(policy: Policy, role: string, line: number): Member {
  if (!policy.roles.has(role)) throw unknown("a role", line, [...policy.roles.keys()]);
  return { name: "", kind: "person", github: undefined, roles: [role], recipients: [], signingKeys: [] };
}

function unknown(what: string, line: number, known: readonly string[]): SealtreeError {
  return new SealtreeError(
    "E_POLICY_INVALID",
    `${policyTestPath}:${line}: the test names ${what} that the policy has not`,
    {
      file: policyTestPath,
      line,
      hints: [`known: ${known.join(", ")}`],
    },
  );
}
