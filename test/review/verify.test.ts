import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { verifyRules } from "../../src/review/refusal.ts";
import { api, createSignedTeam, policyFiles, signers, type SignedTeam } from "./signed-team.ts";

const { alice, bob } = signers;
const memoryOf = ({ repository }: SignedTeam) => join(repository.root, ".git", "sealtree", "verified");
const apiOf = (team: SignedTeam, value: number) => ({ ...team.files, ...api({ API_KEY: [value, 1], DB_URL: [2, 1] }) });

describe("what the policy asks for", () => {
  it.each(["off", "warn"] as const)("makes refusals warnings where signing is %s, unless --strict", async (signing) => {
    const team = createSignedTeam({ signing });
    const tip = team.commit([team.root], apiOf(team, 5));
    const verdict = await team.verify(tip);
    expect([verdict.code, verdict.accepted, verdict.findings.map(({ severity }) => severity)]).toEqual([
      0,
      true,
      ["warning"],
    ]);
    expect((await team.verify(tip, "--strict")).code).toBe(6);
  });

  it("counts from the step after the one that asks for it", async () => {
    const team = createSignedTeam({ signing: "off" });
    const unsigned = team.commit([team.root], apiOf(team, 5));
    const required = { ...apiOf(team, 5), ...policyFiles({ version: 2 }) };
    const ask = team.commit([unsigned], required);
    const late = team.commit([ask], { ...required, ...api({ API_KEY: [6, 1], DB_URL: [2, 1] }) });
    const verdict = await team.verify(late);
    expect(verdict.findings.map(({ commit, severity }) => [commit, severity])).toEqual([
      [unsigned, "warning"],
      [ask, "warning"],
      [late, "error"],
    ]);
  });
});

describe("the memory", () => {
  it("goes on from what was verified, and is the owner's alone", async () => {
    const team = createSignedTeam();
    const first = team.commit([team.root], apiOf(team, 5), bob);
    expect(await team.verify(first)).toMatchObject({ commits: 1, continued: false });
    expect(statSync(memoryOf(team)).mode & 0o777).toBe(0o600);
    const second = team.commit([first], apiOf(team, 6), bob);
    expect(await team.verify(second)).toMatchObject({ commits: 1, continued: true, accepted: true });
    expect(await team.verify(second)).toMatchObject({ commits: 0, continued: true, accepted: true });
    expect(await team.verify(first)).toMatchObject({ commits: 0, continued: true, accepted: true });
    expect(await team.verify(second, "--no-cache")).toMatchObject({ commits: 2, continued: false });
  });

  it("ends before the first finding, so that no refusal is forgotten", async () => {
    const team = createSignedTeam();
    const good = team.commit([team.root], apiOf(team, 5), bob);
    const bad = team.commit([good], apiOf(team, 6));
    const after = team.commit([bad], apiOf(team, 7), bob);
    for (const commits of [3, 2])
      expect(await team.verify(after)).toMatchObject({ code: 6, commits, findings: [{ commit: bad }] });
  });

  it("counts for no other root, no other way of judging, and not when it is cut or edited", async () => {
    const team = createSignedTeam();
    const first = team.commit([team.root], apiOf(team, 5), bob);
    const bad = team.commit([first], apiOf(team, 6));
    await team.verify(first);
    const text = readFileSync(memoryOf(team), "utf8");
    const added = text.replace("end 1", `${bad}\nend 1`);
    for (const wrong of [
      added,
      text.replace(first, bad).replace(team.root, first),
      text.replace(first, bad).slice(0, -1),
      "test\n",
    ]) {
      writeFileSync(memoryOf(team), wrong);
      expect((await team.verify(bad)).code).toBe(6);
    }
    await team.verify(first);
    expect(await team.verify(first, "--all")).toMatchObject({ continued: false });
  });
});

describe("the root", () => {
  it("is pinned in the clone, and nothing begins without it", async () => {
    const team = createSignedTeam();
    const tip = team.commit([team.root], apiOf(team, 5), bob);
    team.maker.write(tip);
    const { repository } = team;
    const unpinned = await repository.run(["verify"]);
    expect([unpinned.code, unpinned.stderr]).toEqual([2, expect.stringContaining("this clone pins no root")]);
    const pinned = await repository.ok(["verify", "--pin", team.root, "--json"]);
    expect(pinned.json()).toMatchObject({
      pinned: team.root,
      before: null,
      signing: "require",
      admins: [{ name: "alice" }],
    });
    expect((await repository.ok(["verify"])).stderr).toContain("accepted: 1 commit");
    expect((await repository.ok(["verify", "--pin", tip])).stderr).toContain(
      `in the place of ${team.root.slice(0, 12)}`,
    );
  });

  it("is no file that the tree could bring along, and no setting of the user", async () => {
    const team = createSignedTeam();
    const { repository } = team;
    team.maker.write(team.root);
    repository.write(".gitsettings", `[sealtree]\n\tverifiedRoot = ${team.root}\n`);
    repository.git("config", "include.path", "../.gitsettings");
    repository.git("config", "--global", "sealtree.verifiedRoot", team.root);
    expect((await repository.run(["verify"])).code).toBe(2);
    repository.git("config", "sealtree.verifiedRoot", "main");
    expect((await repository.run(["verify"])).stderr).toContain("is not one full commit id");
  });

  it("is not pinned by a job", async () => {
    const team = createSignedTeam();
    team.maker.write(team.root);
    const ci = { env: { CI: "true" } };
    expect((await team.repository.run(["verify", "--pin", "HEAD"], ci)).stderr).toContain("proves nothing");
    expect((await team.repository.run(["verify"], ci)).stderr).toContain("--root COMMIT");
    expect((await team.repository.run(["verify", "--root", "HEAD"], ci)).code).toBe(0);
  });

  it("must have a policy that can be used", async () => {
    const team = createSignedTeam();
    const empty = team.commit([], { "README.md": "test\n" });
    const tip = team.commit([empty], team.files, alice);
    team.maker.write(tip);
    expect((await team.repository.run(["verify", "--root", empty])).stderr).toContain("so nobody could write");
    const broken = team.commit([], { "policies/access.yaml": "test\n" });
    team.maker.write(broken);
    expect((await team.repository.run(["verify", "--root", broken])).code).toBe(2);
  });
});

describe("verify", () => {
  it("judges a branch that was cut before its base by the policy of the base", async () => {
    const team = createSignedTeam();
    const main = team.commit([team.root], { ...team.files, "README.md": "main\n" });
    const side = team.commit([team.root], apiOf(team, 5), bob);
    team.maker.write(main, "base");
    expect(await team.verify(side, "--range", "base..main")).toMatchObject({ code: 0, commits: 1 });
  });

  it("says each commit with its rule and a remedy, and lets no text of a commit reach the terminal", async () => {
    const team = createSignedTeam();
    const message = "\u001b]0;title\u0007 ##[error]test";
    const tip = team.commit([team.root], apiOf(team, 5), undefined, { message });
    team.maker.write(tip);
    const { stdout, stderr } = await team.repository.run(["verify", "--root", team.root]);
    expect(stdout).toMatch(
      new RegExp(
        `^${tip.slice(0, 12)} \\(.*\\): error unsigned: it sets prod/api/API_KEY, and it is not signed\n  sign it again: `,
      ),
    );
    expect(["\u001b", "##["].filter((text) => stdout.includes(text))).toEqual([]);
    expect(stderr).toContain("refused: 1 error: 1 commit from");
  });

  it("says which options go together", async () => {
    const team = createSignedTeam();
    team.maker.write(team.root);
    for (const args of [
      ["--deployed", "HEAD"],
      ["--range", "HEAD"],
      ["--range", "HEAD...HEAD"],
      ["--root", "HEAD", "--pin", "HEAD"],
    ])
      expect((await team.repository.run(["verify", ...args])).code).toBe(2);
    expect(existsSync(memoryOf(team))).toBe(false);
  });

  it("has every rule in docs/signed-history.md", () => {
    const page = readFileSync(new URL("../../docs/signed-history.md", import.meta.url), "utf8");
    const listed = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, rule]) => rule);
    expect(listed).toEqual(Object.keys(verifyRules));
  });
});
