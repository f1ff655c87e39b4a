import { z } from "zod";
import { githubAppOptions, type GithubPermissions } from "../../services/github-app.ts";
import { githubApi, githubOrganization, githubRepository } from "../../services/github-client.ts";
import { secretReference } from "../../services/secret-reference.ts";

/** Options of the target github-actions. */
export const githubActionsOptions = z
  .strictObject({
    repository: githubRepository.exactOptional(),
    /** An environment of the repository. */
    environment: z
      .string()
      .regex(/^(?!\.\.?$)[^\p{C}]{1,255}$/u)
      .exactOptional(),
    organization: githubOrganization.exactOptional(),
    /** Which repositories of the organisation may use a secret that is made. One that is there keeps its own. */
    visibility: z.enum(["all", "private", "selected"]).exactOptional(),
    /** Names of repositories of the organisation, for the visibility `selected`. */
    repositories: z
      .array(z.string().regex(/^(?!\.\.?$)[A-Za-z0-9._-]{1,100}$/))
      .min(1)
      .exactOptional(),
    /** Which of GitHub's programs may read them. */
    for: z.enum(["actions", "dependabot", "codespaces"]).default("actions"),
    /** May manage these secrets. */
    token: secretReference.exactOptional(),
    /** An App that signs in for a token, in place of one that lasts. */
    app: githubAppOptions.exactOptional(),
    api: githubApi,
  })
  .superRefine((given, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", message });
    const { repository, environment, organization, visibility, repositories } = given;
    if ((repository === undefined) === (organization === undefined)) {
      refuse("write repository or organization, one of them");
    }
    if (environment !== undefined && (repository === undefined || given.for !== "actions")) {
      refuse("environment belongs to a repository, and to Actions");
    }
    if ((organization === undefined) !== (visibility === undefined)) {
      refuse("an organization needs visibility, all, private or selected, and nothing else has it");
    }
    if ((visibility === "selected") !== (repositories !== undefined)) {
      refuse("the visibility selected needs repositories, and no other has them");
    }
    if ((given.token === undefined) === (given.app === undefined)) refuse("write token or app, one of them");
  });
export type GithubActionsOptions = z.infer<typeof githubActionsOptions>;

/** For people: `acme/api, environment production`, `acme/api, dependabot`, `organization acme`. */
export function printGithubPlace({ repository, environment, organization, ...given }: GithubActionsOptions): string {
  const owner = repository?.toLowerCase() ?? `organization ${organization?.toLowerCase() ?? ""}`;
  const part = environment === undefined ? undefined : `environment ${environment.toLowerCase()}`;
  const kind = given.for === "actions" ? undefined : given.for;
  const { hostname } = new URL(given.api);
  const host = hostname === "api.github.com" ? undefined : `at ${hostname}`;
  return [owner, part, kind, host].filter((it) => it !== undefined).join(", ");
}

/** `repos/owner/name` or `orgs/name`, in segments. */
export function ownerPath({ repository, organization }: GithubActionsOptions): readonly string[] {
  return repository === undefined ? ["orgs", organization ?? ""] : ["repos", ...repository.split("/")];
}

/** Where the secrets are below the API. */
export function secretsPath(options: GithubActionsOptions): readonly string[] {
  const owner = ownerPath(options);
  return options.environment === undefined
    ? [...owner, options.for, "secrets"]
    : [...owner, "environments", options.environment, "secrets"];
}

/**
 * The least that an App's token needs; undefined where GitHub's description of tokens has no word
 * for it, and the token is left as wide as the App.
 */
export function appPermissions(options: GithubActionsOptions): GithubPermissions | undefined {
  const isOrganization = options.organization !== undefined;
  if (options.environment !== undefined) return { environments: "write" };
  if (options.for === "actions") return isOrganization ? ofOrganization(options) : { secrets: "write" };
  return options.for === "dependabot" && !isOrganization ? { dependabot_secrets: "write" } : undefined;
}

/** The numbers of the repositories that the policy names are asked for. */
function ofOrganization({ repositories }: GithubActionsOptions): GithubPermissions {
  return { organization_secrets: "write", ...(repositories === undefined ? {} : { metadata: "read" }) };
}
