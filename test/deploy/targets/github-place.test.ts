import { describe, expect, it } from "vitest";
import { githubActionsTarget } from "../../../src/deploy/targets/github-actions.ts";
import { parseSecretName } from "../../../src/secret/address.ts";

const inRepository = { repository: "test-owner/test-name" };
const inEnvironment = { ...inRepository, environment: "production" };
const inOrganization = { organization: "test-org", visibility: "private" };

describe("the options of the target github-actions", () => {
  it("take one kind of place, and one way to sign in", () => {
    const token = "${env:token}";
    const app = { id: 1, private_key: "${env:key}" };
    const right = [
      { ...inRepository, token },
      { ...inEnvironment, token },
      { ...inOrganization, token, for: "dependabot" },
      { ...inRepository, app: { ...app, installation: 7 } },
      { ...inRepository, token, api: "https://github.example.com/api/v3" },
      { repository: "short_company/x.y-z", token },
    ];
    expect(right.filter((written) => !githubActionsTarget.options.safeParse(written).success)).toEqual([]);
    const wrong = [
      { token },
      { ...inRepository, ...inOrganization, token },
      { ...inOrganization, environment: "production", token },
      { ...inEnvironment, for: "dependabot", token },
      { organization: "test-org", token },
      { ...inRepository, visibility: "all", token },
      { ...inOrganization, repositories: ["one"], token },
      { organization: "test-org", visibility: "selected", token },
      { ...inRepository },
      { ...inRepository, token, app },
      { ...inRepository, token: "test-token" },
      { ...inRepository, token, api: "http://github.example.com" },
      { repository: "a/..", token },
      { repository: "a/b/c", token },
      { ...inRepository, environment: "..", token },
      { ...inRepository, environment: "a\nb", token },
      { organization: "a/b", visibility: "all", token },
    ];
    expect(wrong.filter((written) => githubActionsTarget.options.safeParse(written).success)).toEqual([]);
  });

  it("say where it is, so that two of the same place are seen", () => {
    const place = (written: object) =>
      githubActionsTarget.place(githubActionsTarget.options.parse({ token: "${env:token}", ...written }));
    expect(place(inEnvironment)).toBe("test-owner/test-name, environment production");
    expect(place({ ...inRepository, for: "dependabot" })).toBe("test-owner/test-name, dependabot");
    expect(place(inOrganization)).toBe("organization test-org");
    expect(place({ repository: "Test-Owner/Test-Name" })).toBe(place(inRepository));
    expect(place({ ...inRepository, api: "https://github.example.com/api/v3" })).toContain("at github.example.com");
  });

  it("turn names into ones that GitHub takes", () => {
    const options = githubActionsTarget.options.parse({ ...inRepository, token: "${env:token}" });
    const { pattern } = githubActionsTarget.facts(options).nameRule;
    expect(githubActionsTarget.toName(parseSecretName("stripe.api-key"), options)).toBe("STRIPE_API_KEY");
    for (const name of ["A", "_A", "A_1", "MY_GITHUB_TOKEN"]) expect(name).toMatch(pattern);
    for (const name of ["GITHUB_TOKEN", "1A", "a", "A-B", "A B", "A\n", "", "Ä"]) expect(name).not.toMatch(pattern);
  });
});
