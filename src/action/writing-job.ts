import type { GithubPermissions } from "../services/github-app.ts";
import { withGitSettings } from "../git/config-environment.ts";
import { keepsCredentials } from "../git/known-settings.ts";
import type { Environment } from "../git/place.ts";
import { findRemoteName } from "../git/ref-file.ts";
import type { GithubRepository } from "../github/repository.ts";
import { Secret } from "../secret/secret.ts";
import { callForJson } from "./call-command.ts";
import { botCommitter, jobBotLogin } from "./committer.ts";
import { agentState } from "./end-kept-agent.ts";
import { credentialHeader, gitCredentials, serverOf } from "./git-credentials.ts";
import type { Job } from "./job.ts";
import { listMasks } from "./masks.ts";
import { openJobGithub, type JobGithub } from "./open-github.ts";
import { startSigningAgent } from "./signing-agent.ts";

/** A job whose commands commit and push. */
export interface WritingJob {
  /** With an environment in which git signs, pushes and knows who commits. */
  readonly job: Job;
  /** True when there is a remote to push to. */
  readonly hasRemote: boolean;
  /** Its repository on GitHub. Throws E_USAGE, with what to write into the workflow, when there is no token. */
  github(): Promise<GithubRepository>;
  /** Ends the agent that signs and the token of an App. Throws nothing. */
  close(): Promise<void>;
}

/**
 * Prepares git for a job that writes. It signs with SEALTREE_SIGNING_KEY where there is one, which no
 * command sees. It pushes as the GitHub App, else with what the clone kept, else with GITHUB_TOKEN.
 * `permissions` is what the token of an App is asked for. Throws E_IDENTITY_INVALID for the key, and
 * what opening the App throws; then nothing is left behind.
 */
export async function openWritingJob(job: Job, permissions: GithubPermissions): Promise<WritingJob> {
  const { io, runner, place } = job;
  const given = (name: string) => (io.env[name]?.trim() ?? "") !== "";
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  let opened: Promise<JobGithub> | undefined;
  const open = async () => {
    opened ??= openJobGithub(job, permissions).then((github) => {
      closing.push(async () => await github.close());
      return github;
    });
    return await opened;
  };
  try {
    let env = await signs(job, closing);
    const isApp = given("SEALTREE_APP_ID") || given("SEALTREE_APP_PRIVATE_KEY");
    const hasRemote = (await findRemoteName(place)) !== undefined;
    if (hasRemote && (isApp || given("GITHUB_TOKEN"))) {
      if (isApp || !(await keepsCredentials(place, `${serverOf(io.env)}/`))) {
        // The job's own token needs nothing of GitHub's API to be one of git.
        const token = isApp ? (await open()).token : Secret.text(io.env["GITHUB_TOKEN"]?.trim() ?? "");
        runner.mask([...listMasks(token), credentialHeader(token)]);
        env = gitCredentials(env, token);
      }
    }
    const login = isApp ? async () => await (await open()).repository.login() : jobBotLogin;
    env = withGitSettings(env, await botCommitter({ ...place, env }, login));
    return {
      job: { ...job, env, place: { ...place, env } },
      hasRemote,
      github: async () => (await open()).repository,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** {@link callForJson} for a command that keeps something at the remote beside its branches, such as receipts. */
export async function callWithRemote<T>(job: Job, permissions: GithubPermissions, argv: readonly string[]) {
  const writing = await openWritingJob(job, permissions);
  try {
    return await callForJson<T>(writing.job, argv);
  } finally {
    await writing.close();
  }
}

async function signs({ io, env, runner, temporary }: Job, closing: (() => Promise<void>)[]): Promise<Environment> {
  const text = io.env["SEALTREE_SIGNING_KEY"] ?? "";
  if (text.trim() === "") return env;
  // Pasting adds blanks at the ends of lines, which OpenSSH does not take.
  const key = Secret.text(
    text
      .split("\n")
      .map((line) => line.trimEnd())
      .join("\n"),
  );
  runner.mask([...listMasks(Secret.text(text)), ...listMasks(key)]);
  const agent = await startSigningAgent(key, env, temporary);
  closing.push(async () => await agent.close());
  runner.saveState(agentState, JSON.stringify(agent.trace));
  return withGitSettings(env, agent.settings);
}
