import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openJobGithub } from "../../src/action/open-github.ts";
import { createRunner } from "../../src/action/runner.ts";
import type { Io } from "../../src/cli/io.ts";
import { startFakeGithubRepository, type FakeGithubRepository } from "../support/fakes/github-repository.ts";

const permissions = { issues: "write", pull_requests: "read" } as const;
let github: FakeGithubRepository;

beforeEach(async () => {
  github = await startFakeGithubRepository();
});
afterEach(async () => {
  await github.stop();
});

/** A job with a log, as far as GitHub is opened from it. */
function createJob(env: Readonly<Record<string, string>>) {
  const log: string[] = [];
  const random = (size: number) => randomBytes(size);
  const all = { GITHUB_REPOSITORY: "test-owner/test-name", GITHUB_API_URL: github.url, ...env };
  const io = { env: all, now: () => new Date(), random } as unknown as Io;
  const runner = createRunner({ env: all, write: (chunk) => void log.push(String(chunk)), random });
  return { log, job: { io, runner } };
}

describe("openJobGithub", () => {
  it("works with the job's own token, masked first", async () => {
    const { log, job } = createJob({ GITHUB_TOKEN: " test-token\n" });
    const opened = await openJobGithub(job, permissions);
    expect(await opened.repository.login()).toBe("github-actions[bot]");
    expect(log.join("")).toContain("::add-mask::test-token\n");
    await opened.close();
    expect(github.requests).toEqual(["POST /graphql"]);
  });

  it("is the App where there is one, with the wanted permissions alone, and ends its token once it is closed", async () => {
    const app = { SEALTREE_APP_ID: String(github.app.id), SEALTREE_APP_PRIVATE_KEY: github.app.pem };
    const { log, job } = createJob({ GITHUB_TOKEN: "test-token", ...app });
    const opened = await openJobGithub(job, permissions);
    expect(await opened.repository.login()).toBe("test-app[bot]");
    expect(github.app.granted).toMatchObject([{ repositories: ["test-name"], permissions, isRevoked: false }]);
    expect(log.join("")).toContain(`::add-mask::${github.app.pem.split("\n")[1] ?? "none"}`);
    await opened.close();
    expect(github.app.granted).toMatchObject([{ isRevoked: true }]);
    await opened.close();
  });

  it("says what to write into the workflow when there is nothing to sign in with, or half of it", async () => {
    const failure = await openJobGithub(createJob({}).job, permissions).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "E_USAGE",
      hints: [
        expect.stringContaining("GITHUB_TOKEN"),
        "permissions: { issues: write, pull-requests: read }",
        expect.any(String),
      ],
    });
    for (const half of [{ SEALTREE_APP_ID: "1" }, { SEALTREE_APP_PRIVATE_KEY: "test-key" }, { GITHUB_REPOSITORY: "" }])
      await expect(
        openJobGithub(createJob({ GITHUB_TOKEN: "test-token", ...half }).job, permissions),
      ).rejects.toMatchObject({ code: "E_USAGE" });
  });

  it("sends no token to an address without TLS, and to no path that is none of a repository", async () => {
    for (const env of [{ GITHUB_API_URL: "http://github.test" }, { GITHUB_REPOSITORY: "../../user" }])
      await expect(
        openJobGithub(createJob({ GITHUB_TOKEN: "test-token", ...env }).job, permissions),
      ).rejects.toMatchObject({ class: "rejected" });
    expect(github.requests).toEqual([]);
  });
});
