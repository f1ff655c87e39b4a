import type { ScopePath } from "../../secret/address.ts";
import { accessPolicyPath } from "../../store/layout.ts";
import type { Rule } from "../rule.ts";

/** Segments of a scope that name an environment, each with what it is called here. */
const environments = new Map([
  ...["dev", "development", "local"].map((word) => [word, "dev"] as const),
  ...["test", "testing", "qa", "ci"].map((word) => [word, "test"] as const),
  ...["preview", "sandbox"].map((word) => [word, word] as const),
  ...["staging", "stage", "stg", "uat"].map((word) => [word, "staging"] as const),
  ...["prod", "production", "live"].map((word) => [word, "prod"] as const),
]);

export const machineScope: Rule = {
  name: "machine-scope",
  describe:
    "No machine reads more than one environment, such as dev and prod, so that one stolen key opens one of them.",
  checkTree({ policy, accessDocument }, scopes) {
    const machines = [...(policy?.members.values() ?? [])].filter(({ kind }) => kind === "machine");
    const reach = new Map(machines.map(({ name }) => [name, new Set<string>()]));
    for (const { scope, readers } of scopes) {
      const environment = findEnvironment(scope);
      if (environment === undefined) continue;
      for (const name of readers?.members ?? []) reach.get(name)?.add(environment);
    }
    return [...reach]
      .filter(([, found]) => found.size > 1)
      .map(([name, found]) => ({
        rule: "machine-scope",
        severity: "warning",
        message: `the machine ${name} reads several environments: ${[...found].sort().join(", ")}`,
        file: accessPolicyPath,
        line: accessDocument?.lineOf(["members", name]) ?? 1,
        hint: "give each environment a machine of its own, with a role for its scopes alone",
      }));
  },
};

/** What the first segment that names an environment says, as in `prod/api` and `project/web/prod`. */
function findEnvironment(scope: ScopePath): string | undefined {
  const word = scope.split("/").find((segment) => environments.has(segment));
  return word === undefined ? undefined : environments.get(word);
}
