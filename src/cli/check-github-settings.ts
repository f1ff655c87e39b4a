import { exitCodes, SealtreeError, usageError } from "../errors.ts";
import { hasGit } from "../git/place.ts";
import { findRemoteUrl } from "../git/remote-facts.ts";
import { openGithubRepository } from "../github/repository.ts";
import { failsSettings } from "../github/settings/finding.ts";
import { inspectSettings } from "../github/settings/inspect-settings.ts";
import { isServiceUrl } from "../net/http-client.ts";
import { isProviderFailure } from "../net/provider-failure.ts";
import { Secret } from "../secret/secret.ts";
import type { ServiceAccess } from "../services/service-access.ts";
import type { Context } from "./context.ts";
import { settingWantsOf } from "./github-settings-wants.ts";
import { planGithubSetup } from "./plan-github-setup.ts";
import { printSettings } from "./print-github-settings.ts";

type Options = Readonly<Record<string, unknown>>;

const callTimeoutMs = 30_000;

/**
 * Compares the repository's settings at GitHub with what the policies here and the workflows need, and prints
 * every finding. Gives the exit status: 1 when something needed is missing, or cannot be seen. The token
 * comes from GH_TOKEN or GITHUB_TOKEN. Throws E_USAGE without one, E_PROVIDER when GitHub says nothing at all.
 */
export async function checkGithubSettings(context: Context, options: Options): Promise<number> {
  const tree = await context.tree();
  const plan = await planGithubSetup(context, options, tree);
  const api = await chooseApi(context, options);
  const token = findToken(context);
  const reviewed = Array.isArray(options["reviewed"]) ? options["reviewed"].map(String) : [];
  const wants = await settingWantsOf(tree, plan, { api, reviewed });
  const access: ServiceAccess = {
    read() {
      throw new Error("no reference was bound");
    },
    random: (size) => context.io.random(size),
    now: () => context.io.now(),
    timeoutMs: callTimeoutMs,
  };
  const { repository: name } = plan.setup;
  try {
    const repository = openGithubRepository({ api, repository: name, token, access });
    const findings = await inspectSettings(repository, wants);
    printSettings(context, name, findings);
    return failsSettings(findings, options["strict"] === true) ? exitCodes.found : exitCodes.ok;
  } catch (error) {
    if (!isProviderFailure(error)) throw error;
    const { message, hints } = error;
    const own = ["the token must see the repository: Metadata: read, and the right one must be chosen in it"];
    throw new SealtreeError("E_PROVIDER", `the repository cannot be looked at: ${message}`, {
      hints: error.class === "auth" ? own : hints,
    });
  }
}

/** Never an argument: arguments are seen by everybody on the machine. */
function findToken({ io: { env } }: Context): Secret {
  const token = [env["GH_TOKEN"], env["GITHUB_TOKEN"]].map((it) => it?.trim() ?? "").find((it) => it !== "");
  if (token !== undefined) return Secret.text(token);
  throw usageError(
    "there is no token of GitHub to look with",
    "GH_TOKEN=$(gh auth token) sealtree github-setup --check",
    "docs/github-settings.md says what a token must be allowed to see",
  );
}

/**
 * Where the API is. A token for one server must not be sent to another, so a remote that is elsewhere
 * than at github.com has to be spoken of. Throws E_USAGE.
 */
async function chooseApi(context: Context, options: Options): Promise<string> {
  const given = options["api"] ?? context.io.env["GITHUB_API_URL"];
  if (typeof given === "string" && given !== "") {
    if (isServiceUrl(given)) return given.replace(/\/$/, "");
    throw usageError("the address of the API is not one that may be used", "--api https://HOST/api/v3");
  }
  const place = context.place();
  const url = typeof options["repository"] !== "string" && hasGit(place) ? await findRemoteUrl(place) : undefined;
  const host = /^(?:\w+:\/\/)?(?:[^@/]*@)?([^:/]+)[:/]/.exec(url ?? "")?.[1]?.toLowerCase();
  if (host === undefined || host === "github.com" || host === "ssh.github.com") return "https://api.github.com";
  throw usageError(
    "the remote is not at github.com",
    "--api https://HOST/api/v3 for GitHub Enterprise",
    "--api https://api.github.com, when it is github.com by another name",
  );
}
