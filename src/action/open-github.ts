import { usageError } from "../errors.ts";
import { openGithubRepository, type GithubRepository } from "../github/repository.ts";
import { Secret } from "../secret/secret.ts";
import { requestInstallationToken, revokeInstallationToken, type GithubPermissions } from "../services/github-app.ts";
import type { ServiceAccess } from "../services/service-access.ts";
import { listMasks } from "./masks.ts";
import type { Job } from "./job.ts";

/** The repository of the job on GitHub, for as long as it is open. */
export interface JobGithub {
  readonly repository: GithubRepository;
  /** For git alone, which asks for it as a password. It is masked. */
  readonly token: Secret;
  /** Ends the token of an App. Throws nothing. */
  readonly close: () => Promise<void>;
}

const callTimeoutMs = 30_000;

/**
 * Opens the job's repository with `GITHUB_TOKEN`, or as the GitHub App of `SEALTREE_APP_ID` and
 * `SEALTREE_APP_PRIVATE_KEY`, whose token is for this repository and `permissions` alone. The key
 * and the token are masked first. Throws E_USAGE when there is none, ProviderFailure from GitHub.
 */
export async function openJobGithub(
  { io, runner }: Pick<Job, "io" | "runner">,
  permissions: GithubPermissions,
): Promise<JobGithub> {
  const read = (name: string) => (io.env[name]?.trim() ?? "") || undefined;
  const api = read("GITHUB_API_URL") ?? "https://api.github.com";
  const repository = read("GITHUB_REPOSITORY");
  if (repository === undefined) throw usageError("GITHUB_REPOSITORY is not set, so this is no step of a job");
  const access: ServiceAccess = {
    read() {
      throw new Error("no reference was bound");
    },
    random: (size) => io.random(size),
    now: () => io.now(),
    timeoutMs: callTimeoutMs,
  };
  const [id, key, own] = [read("SEALTREE_APP_ID"), read("SEALTREE_APP_PRIVATE_KEY"), read("GITHUB_TOKEN")];
  if ((id === undefined) !== (key === undefined))
    throw usageError("SEALTREE_APP_ID and SEALTREE_APP_PRIVATE_KEY go together", seeDocs);
  const hide = (secret: Secret) => {
    runner.mask(listMasks(secret));
    return secret;
  };
  if (id !== undefined && key !== undefined) {
    const place = ["repos", ...repository.split("/")];
    const login = { api, id, key: hide(Secret.text(key)), place, permissions };
    const token = hide(await requestInstallationToken(login, access));
    return {
      repository: openGithubRepository({ api, repository, token, access }),
      token,
      close: async () => await revokeInstallationToken(api, token, access).catch(() => undefined),
    };
  }
  if (own === undefined) throw noToken(permissions);
  const token = hide(Secret.text(own));
  return {
    repository: openGithubRepository({ api, repository, token, access }),
    token,
    close: async () => undefined,
  };
}

const seeDocs = "docs/action.md says how a job speaks to GitHub";

/** GitHub names permissions with `_` in its API, and with `-` in a workflow. */
function noToken(permissions: GithubPermissions) {
  const wanted = Object.entries(permissions).map(([name, right]) => `${name.replaceAll("_", "-")}: ${right}`);
  return usageError(
    "the step has no token of GitHub",
    'env: { GITHUB_TOKEN: "${{ github.token }}" }',
    `permissions: { ${wanted.join(", ")} }`,
    seeDocs,
  );
}
