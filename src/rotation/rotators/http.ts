import { httpOptions, httpReferences, type HttpRule } from "./http-rule.ts";
import type { Rotator } from "./rotator.ts";

/** Any service with an HTTP API, by steps that the rule writes down. */
export const httpRotator: Rotator<HttpRule> = {
  name: "http",
  kind: "any",
  describe: "a credential of any service with an HTTP API, by the steps in its rule",
  options: httpOptions,
  provider: {
    parts: ["value", "id"],
    changing: (rule) => (rule.kind === "minted" && rule.with_id ? ["value", "id"] : ["value"]),
    outage: (rule) =>
      rule.outage === undefined
        ? undefined
        : "the old value ends at once: programs are shut out until they have the new one",
    references: httpReferences,
    propagationMs: ({ propagation_seconds: seconds }) => seconds * 1000,
    async open(rule, access) {
      const { openHttp } = await import("./http-provider.ts");
      return openHttp(rule, access);
    },
  },
};
