import type { Rule } from "../rule.ts";

export const deployPolicy: Rule = {
  name: "deploy-policy",
  describe:
    "policies/deploy.yaml follows its schema, its scopes are there, and every secret has a name that its target takes and no other secret has there.",
  checkTree: ({ deployFindings }) => deployFindings,
};
