import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { reviewMarker } from "../../src/cli/review-markdown.ts";
import { reasonTrailer } from "../../src/store/commit-message.ts";
import { act, type ActOptions } from "../support/act.ts";
import type { HeldIssue } from "../support/fakes/github-shapes.ts";
import type { TestRepository } from "../support/repository.ts";
import { createReviewTeam, ownName, pullPayload, runPayload, type ReviewTeam } from "../support/review-team.ts";

const bot = "github-actions[bot]";
let team: ReviewTeam;

beforeEach(async () => {
  team = await createReviewTeam();
});
afterEach(async () => {
  await team.github.stop();
});

/** The second workflow, after the first ended for the pull request. */
async function comment(pull: HeldIssue, { root = team.clone(), ...options }: ActOptions & { root?: string } = {}) {
  const place = { root, env: team.env };
  return await act(place, { command: "comment" }, { event: "workflow_run", payload: runPayload(pull), ...options });
}

const addSecret = async (repository: TestRepository) => {
  await repository.ok(["set", "prod/api/NEW_KEY", "--stdin"], { stdin: "test-value-of-a-fork" });
};
const spoil = (repository: TestRepository) => {
  const path = "secrets/prod/api.yaml";
  repository.write(path, `${repository.read(path)}PLAIN: test-plaintext\n`);
};
const touchReadme = (repository: TestRepository) => repository.write("README.md", "words\n");

describe("comment", () => {
  it("puts the report and the verdict on a fork's pull request, and changes both in place", async () => {
    const pull = await team.openPull(addSecret);
    const first = await comment(pull);
    expect([first.code, first.outputs.get("verdict"), first.outputs.get("errors")]).toEqual([0, "attention", "1"]);
    expect(pull.comments).toMatchObject([{ user: bot }]);
    expect(pull.comments[0]?.body.split("\n")[0]).toBe(reviewMarker);
    expect(pull.comments[0]?.body).toContain("NEW_KEY");
    expect(first.summary).toContain("NEW_KEY");

    const before = pull.comments[0]?.body;
    expect((await comment(pull)).log).toContain(": same");
    await team.addCommit(pull, spoil);
    const second = await comment(pull);
    expect([second.code, second.outputs.get("verdict")]).toEqual([0, "blocked"]);
    expect(pull.comments).toHaveLength(1);
    expect(pull.comments[0]?.body).not.toBe(before);
    expect(team.github.checkRuns).toMatchObject([
      { name: "sealtree review", conclusion: "neutral", title: "Needs attention" },
      { name: "sealtree review", conclusion: "failure", title: "Blocked", head: pull.pull?.head.sha },
    ]);
    expect(team.github.checkRuns[1]?.summary).toContain("new error");
  });

  it("says nothing in a comment of its own where nothing is touched, and keeps one up to date that is there", async () => {
    const pull = await team.openPull(touchReadme);
    expect((await comment(pull)).code).toBe(0);
    expect(pull.comments).toEqual([]);
    expect(team.github.checkRuns).toMatchObject([{ conclusion: "success", title: "Fine" }]);
    const old = team.github.addComment(pull, bot, `${reviewMarker}\nblocked`);
    await comment(pull);
    expect(old.body).toContain("No secret changes.");
  });

  it("leaves a pull request alone that has another commit by now, is closed, or is no pull request", async () => {
    const pull = await team.openPull(addSecret);
    const old = runPayload(pull);
    await team.addCommit(pull, addAnother);
    const outdated = await comment(pull, { payload: old });
    expect([outdated.code, outdated.annotations[0]?.message]).toEqual([0, expect.stringContaining("another commit")]);
    for (const more of [
      { head_branch: "other" },
      { head_repository: { full_name: "mallory/other" } },
      { event: "push" },
    ])
      expect((await comment(pull, { payload: runPayload(pull, more) })).code).toBe(0);
    pull.state = "closed";
    expect((await comment(pull)).annotations[0]?.level).toBe("notice");
    expect([pull.comments, team.github.checkRuns]).toEqual([[], []]);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ["before the run before ended", { head_repository: null }],
    ["only then", {}],
  ])("keeps up with a pull request whose fork was deleted, %s", async (_, more) => {
    const pull = await team.openPull(touchReadme);
    const old = team.github.addComment(pull, bot, `${reviewMarker}\nfine`);
    const other = await team.openPull(touchReadme);
    await team.addCommit(pull, spoil);
    if (pull.pull !== undefined) pull.pull.head.isGone = true;
    const result = await comment(pull, { payload: runPayload(pull, more) });
    expect([result.code, result.outputs.get("verdict")]).toEqual([0, "blocked"]);
    expect(old.body).toContain("new error");
    expect(team.github.checkRuns).toMatchObject([{ conclusion: "failure", head: pull.pull?.head.sha }]);
    expect(other.comments).toEqual([]);
  });

  it("takes no run of a deleted fork for an older commit of it, and none of a fork that is there for another's", async () => {
    const pull = await team.openPull(touchReadme);
    const old = runPayload(pull, { head_repository: null });
    await team.addCommit(pull, spoil);
    const there = runPayload(pull, { head_repository: { full_name: "mallory/other" } });
    for (const payload of [old, there]) expect((await comment(pull, { payload })).outputs.has("verdict")).toBe(false);
    expect([pull.comments, team.github.checkRuns]).toEqual([[], []]);
  });

  it("blocks a fork that joined the branch in two places, whose merge takes a new value back", async () => {
    const { owner, server } = team;
    const value = () => /^API_KEY: .*$/m.exec(owner.git("show", "main:secrets/prod/api.yaml"))?.[0];
    const first = value();
    owner.git("switch", "--quiet", "--create", "side");
    owner.write("side.txt", "harmless\n");
    owner.git("add", "--all");
    owner.git("commit", "--quiet", "--message", "harmless");
    const side = owner.git("rev-parse", "HEAD").trim();
    owner.git("switch", "--quiet", "main");
    await owner.ok(["set", "prod/api/API_KEY", "--stdin"], { stdin: "test-value-after-a-leak" });
    const replaced = owner.git("rev-parse", "HEAD").trim();
    expect(value()).not.toBe(first);
    owner.git("merge", "--quiet", "--no-edit", "side");
    owner.git("push", "--quiet", server.folder, "main");
    const joined = owner.git("commit-tree", `${side}^{tree}`, "-p", side, "-p", replaced, "-m", "join").trim();
    const pull = await team.openPull((repository) => {
      repository.git("reset", "--quiet", "--hard", joined);
      touchReadme(repository);
    });
    const head = pull.pull?.head.sha ?? "";
    expect(owner.git("merge-base", "--all", "main", head).trim().split("\n")).toHaveLength(2);
    const result = await comment(pull);
    expect([result.code, result.outputs.get("verdict")]).toEqual([0, "blocked"]);
    expect(team.github.checkRuns).toMatchObject([{ name: "sealtree review", conclusion: "failure" }]);
    expect(team.github.checkRuns[0]?.summary).toContain("merge the base into the branch once");
    expect(pull.comments[0]?.body).toContain("more than one place");
  });

  it("says nothing of a commit when the next one comes while it looks", async () => {
    const pull = await team.openPull(addSecret);
    let isMoved = false;
    team.server.onRequest = (request) => {
      if (request !== "fetch" || isMoved || pull.pull === undefined) return;
      isMoved = true;
      pull.pull.head.sha = team.server.git("rev-parse", "main").trim();
    };
    const result = await comment(pull);
    expect([isMoved, result.code, result.outputs.has("verdict")]).toEqual([true, 0, false]);
    expect([pull.comments, team.github.checkRuns]).toEqual([[], []]);
  });

  it("has a check run for each branch that the same commit may go into", async () => {
    const main = team.server.git("rev-parse", "main").trim();
    team.server.git("update-ref", "refs/heads/release/1", main);
    const pull = await team.openPull(addSecret);
    const head = { ...pull.pull?.head } as { repository: string; ref: string; sha: string };
    const other = team.github.openPull({ user: "mallory", head, base: { ref: "release/1", sha: main } });
    await comment(pull);
    expect(team.github.checkRuns.map(({ name }) => name).toSorted()).toEqual([
      "sealtree review",
      "sealtree review (release/1)",
    ]);
    expect([pull.comments.length, other.comments.length]).toEqual([1, 1]);
  });

  it("works as a GitHub App with rights that are enough and no more, and ends its token", async () => {
    const pull = await team.openPull(addSecret);
    const env = {
      GITHUB_TOKEN: "",
      SEALTREE_APP_ID: String(team.github.app.id),
      SEALTREE_APP_PRIVATE_KEY: team.github.app.pem,
    };
    team.server.allow("test-installation-token-0");
    const result = await comment(pull, { env });
    expect([result.code, pull.comments[0]?.user]).toEqual([0, "test-app[bot]"]);
    expect(team.github.app.granted).toMatchObject([
      {
        repositories: ["test-name"],
        permissions: { checks: "write", contents: "read", pull_requests: "write" },
        isRevoked: true,
      },
    ]);
    expect(result.masks).toContain("test-installation-token-0");
    expect(result.log).not.toContain("PRIVATE KEY");
  });
});

const addAnother = async (repository: TestRepository) => {
  await repository.ok(["set", "prod/api/OTHER_KEY", "--stdin"], { stdin: "test-value-of-a-fork" });
};

describe("comment where the review cannot be made", () => {
  it("says so in the comment and the check run, and fails", async () => {
    const pull = await team.openPull((repository) => {
      const tree = repository.git("write-tree").trim();
      const orphan = repository.git("commit-tree", "-m", "another history", tree).trim();
      repository.git("reset", "--quiet", "--hard", orphan);
    });
    const result = await comment(pull);
    expect([result.code, result.annotations[0]?.properties["title"]]).toEqual([4, "E_REVISION_NOT_FOUND"]);
    expect(team.github.checkRuns).toMatchObject([{ conclusion: "failure", title: "The review could not be made" }]);
    expect(pull.comments[0]?.body).toContain("it could not be made");
    await team.addCommit(pull, (repository) => void repository.git("reset", "--quiet", "--hard", "main"));
    expect((await comment(pull)).code).toBe(0);
    expect(pull.comments).toHaveLength(1);
    expect(pull.comments[0]?.body).toContain("No secret changes.");
  });

  it("says so when git cannot fetch, without the server's words", async () => {
    const pull = await team.openPull(addSecret);
    team.server.spoil("fetch", { kind: "status", status: 500 });
    const result = await comment(pull);
    expect(result.code).not.toBe(0);
    expect(team.github.checkRuns).toMatchObject([{ conclusion: "failure", title: "The review could not be made" }]);
    expect(pull.comments[0]?.body).not.toContain("an answer that nobody prints");
  });

  it("says so when it is sealtree's own mistake, without the mistake's words", async () => {
    const rule = "{ rotator: generate, options: { kind: hex, bytes: 16 }, interval: 30d }";
    const rules = `secrets:\n  prod/api/API_KEY: ${rule}\n`;
    const pull = await team.openPull((repository) => repository.write("policies/rotation.yaml", rules));
    const now = Object.assign(new Date(), {
      getTime(): number {
        throw new TypeError("test-words-of-a-mistake");
      },
    });
    const result = await comment(pull, { now });
    expect([result.code, team.github.checkRuns[0]?.conclusion]).toEqual([70, "failure"]);
    expect(pull.comments[0]?.body).not.toContain("test-words");
  });

  it("fails as one of GitHub's refusals, with what to look at", async () => {
    const pull = await team.openPull(addSecret);
    team.github.rights.delete("checks");
    const result = await comment(pull);
    expect([result.code, result.annotations[0]?.properties["title"]]).toEqual([9, "E_PROVIDER"]);
    expect(result.annotations[0]?.message).toContain("docs/action.md");
  });
});

describe("comment refuses", () => {
  it("to run on any other event, and without knowing the default branch", async () => {
    const pull = await team.openPull(touchReadme);
    for (const event of ["pull_request_target", "issue_comment", "push", "workflow_dispatch"]) {
      const result = await comment(pull, { event, payload: pullPayload(pull) });
      expect([result.code, result.annotations[0]?.properties["title"]]).toEqual([5, "E_ACTION_REFUSED"]);
    }
    const payload = { ...runPayload(pull), repository: { full_name: ownName } };
    expect((await comment(pull, { payload })).code).toBe(5);
    expect(team.github.requests).toEqual([]);
  });

  it("the workflow of a fork itself", async () => {
    const pull = await team.openPull(addSecret);
    const result = await comment(pull, { event: "pull_request", payload: pullPayload(pull) });
    expect([result.code, result.annotations[0]?.message]).toEqual([5, expect.stringContaining("workflow_run")]);
  });

  it("an identity in the environment, whoever opened the pull request", async () => {
    for (const from of [ownName, "mallory/test-fork"]) {
      const pull = await team.openPull(touchReadme, { from });
      const identity = readFileSync(join(team.owner.home, ".config/sealtree/identity.txt"), "utf8");
      const result = await comment(pull, { env: { SEALTREE_IDENTITY: identity } });
      expect([result.code, result.annotations[0]?.properties["title"]]).toEqual([5, "E_ACTION_REFUSED"]);
    }
    expect(team.github.requests).toEqual([]);
  });

  it("a job that checked the change out", async () => {
    const pull = await team.openPull(addSecret);
    const root = team.clone();
    execFileSync("git", ["fetch", "--quiet", "origin", `refs/pull/${pull.number}/head`], { cwd: root });
    execFileSync("git", ["checkout", "--quiet", "--detach", "FETCH_HEAD"], { cwd: root });
    const result = await comment(pull, { root });
    expect([result.code, result.annotations[0]?.properties["title"]]).toEqual([5, "E_ACTION_REFUSED"]);
    expect(result.annotations[0]?.message).toContain("checked out");
  });

  it("a shallow clone, and a step without a token, saying what to write", async () => {
    const pull = await team.openPull(addSecret);
    const result = await comment(pull, { env: { GITHUB_TOKEN: "" } });
    expect([result.code, result.annotations[0]?.message]).toEqual([2, expect.stringContaining("GITHUB_TOKEN: ")]);
    expect(result.annotations[0]?.message).toContain("pull-requests: write");
    const root = team.clone();
    execFileSync("git", ["fetch", "--quiet", "--depth=1", "--update-shallow"], { cwd: root });
    execFileSync("git", ["-c", "protocol.file.allow=always", "fetch", "--depth=1", `file://${team.server.folder}`], {
      cwd: root,
      stdio: "ignore",
    });
    const shallow = await comment(pull, { root });
    expect([shallow.code, shallow.annotations[0]?.message]).toEqual([5, expect.stringContaining("fetch-depth: 0")]);
  });
});

describe("comment on a hostile change", () => {
  const evil = [
    "@everyone",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](https://evil.test/p.png)",
    "https://evil.test",
    "--> <script>alert(1)</script>",
    "</details></sub> # h",
    "| a | b |",
    "fixes #1",
    "\u202eabc\u001b[31m",
    "::add-mask::x",
    ":tada: $x$ ~~y~~",
    "`` ` ``",
  ];

  it("shows all of it as text", async () => {
    const pull = await team.openPull(async (repository) => {
      await addSecret(repository);
      for (const text of evil) {
        repository.write(`policies/${text.replaceAll("/", " ")}.yaml`, `${text}\n`);
        repository.write(`secrets/${text.replaceAll("/", " ")}.yaml`, `${text}\n`);
        repository.git("add", "--all");
        const message = `${text}\n\n${reasonTrailer}: ${text}`;
        repository.git("-c", `user.name=${text}`, "-c", "user.email=a@evil.test", "commit", "--quiet", "-m", message);
      }
    });
    const result = await comment(pull);
    expect([result.code, result.commands, result.masks.includes("x")]).toEqual([0, [], false]);
    const body = pull.comments[0]?.body ?? "";
    for (const text of [body, team.github.checkRuns[0]?.summary ?? ""]) expectHarmless(text);
    for (const word of ["onerror", "@everyone", "fixes #1", "evil.test"]) expect(body).toContain(word);
    expect(result.annotations.every(({ properties }) => properties["title"] !== undefined)).toBe(true);
  });
});

/** What GitHub would make of it has our own elements only, and no link, picture, mention or reference. */
function expectHarmless(markdown: string): void {
  const html = micromark(markdown, {
    allowDangerousHtml: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  }).replace(`${reviewMarker}\n`, "");
  const tags = new Set(
    [...html.matchAll(/<[^>]*>?/g)].map(([tag]) => tag.replace(/^<\/?([a-z0-9]+)( align="\w+")?>$/, "$1")),
  );
  const known = "p h2 h3 ul li strong em code table thead tbody tr th td details summary sub".split(" ");
  expect([...tags].filter((tag) => !known.includes(tag))).toEqual([]);
  for (const element of ["details", "summary", "sub", "table"])
    expect(html.split(`<${element}>`).length).toBe(html.split(`</${element}>`).length);
  const text = html.replaceAll(/<code>.*?<\/code>/gs, "").replaceAll(/<[^>]*>/g, "");
  expect(text).not.toMatch(/@\w|#\d|https?:\/\/\w|www\.\w|:\w+:|\$\w/);
  // oxlint-disable-next-line no-control-regex -- the point is that there are none
  expect(markdown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
}

describe("the clone of the job", () => {
  it("keeps its branch and its files, and no token; that is in no output, and masked in every form that is sent", async () => {
    const pull = await team.openPull(touchReadme);
    const root = team.clone();
    const look = () => execFileSync("git", ["status", "--porcelain=v2", "--branch"], { cwd: root, encoding: "utf8" });
    const before = look();
    const result = await comment(pull, { root });
    expect([result.code, look()]).toEqual([0, before]);
    const sent = Buffer.from("x-access-token:test-token").toString("base64");
    expect(result.masks).toEqual(expect.arrayContaining(["test-token", sent]));
    expect(result.log + result.summary + [...result.outputs.values()].join()).not.toMatch(/test-token|eC1hY2Nlc3M/);
    const grep = ["-rlE", `test-token|${sent}`, root];
    expect(() => execFileSync("grep", grep, { stdio: "pipe" })).toThrow(expect.objectContaining({ status: 1 }));
  });
});
