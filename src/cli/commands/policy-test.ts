import { loadPolicy } from "../../access/policy.ts";
import { policyTestPath, testPolicy, type PolicyExpectation } from "../../access/policy-test.ts";
import { exitCodes } from "../../errors.ts";
import type { CommandModule } from "../command.ts";
import { count } from "../present.ts";
import { safeText } from "../safe-text.ts";

export const policyTest: CommandModule = {
  arguments: "",
  kind: "read",
  description:
    "Compares the access policy with what policies/access.test.yaml expects of it: who can do what where, and who cannot. Exits with 1 when an expectation does not hold. Needs no key, so it guards a pull request that edits the policy.",
  options: [],
  examples: [
    { command: "sealtree policy test", description: "after editing policies/access.yaml" },
    { command: "sealtree policy test --json", description: "for a workflow" },
  ],
  json: '{"tests": [{"who", "action", "scope", "expected": boolean, "holds": boolean, "line", "because"|null}], "failed": number}',
  async run(context) {
    context.about({ operation: "policy test" });
    const tree = await context.tree();
    const tests = await testPolicy(tree, await loadPolicy(tree));
    const failed = tests.filter(({ holds }) => !holds);
    if (context.options.json) {
      context.json({
        tests: tests.map(({ because, ...test }) => ({ ...test, because: because ?? null })),
        failed: failed.length,
      });
    } else {
      for (const test of failed) context.line(safeText(sayFailure(test)));
      context.say(
        failed.length === 0
          ? `${count(tests.length, "expectation")} ${tests.length === 1 ? "holds" : "hold"}`
          : `${failed.length} of ${count(tests.length, "expectation")} ${failed.length === 1 ? "does" : "do"} not hold`,
      );
    }
    return failed.length === 0 ? exitCodes.ok : exitCodes.found;
  },
};

function sayFailure({ who, action, scope, expected, line, because }: PolicyExpectation): string {
  const why = because === undefined ? "" : ` (${because})`;
  return `${policyTestPath}:${line}: ${who} ${expected ? "cannot" : "can"} ${action} in ${scope}${why}`;
}
