import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { api, createSignedTeam, policyFiles, signers, type PolicyOptions, type SignedTeam } from "./signed-team.ts";

const { alice, bob } = signers;

interface Reviewed {
  readonly code: number;
  readonly verdict: string;
  readonly reasons: readonly { readonly level: string; readonly text: string }[];
  readonly verification: { readonly state: string; readonly why?: string; readonly refused?: readonly unknown[] };
}

/** A team with two signed changes; the second is reviewed. */
function createChange(options: PolicyOptions = {}): { team: SignedTeam; base: string; head: string } {
  const team = createSignedTeam(options);
  const base = team.commit([team.root], { ...team.files, ...api({ API_KEY: [5, 1], DB_URL: [2, 1] }) }, bob);
  const head = team.commit([base], { ...team.files, ...api({ API_KEY: [6, 1], DB_URL: [2, 1] }) }, bob);
  team.maker.write(head);
  return { team, base, head };
}

/** What review says of a range, in this clone or another, and how verify ends there. */
async function review(team: SignedTeam, range: string, folder = team.repository.root) {
  const result = await team.repository.run(["review", range, "--json", "-C", folder]);
  const verified = await team.repository.run(["verify", "--range", range, "--json", "-C", folder]);
  return { ...(JSON.parse(result.stdout) as Omit<Reviewed, "code">), code: result.code, verified: verified.code };
}

const judged = { code: 0, verified: 0, verification: { state: "done", refused: [] } };

function expectBlocked(reviewed: Awaited<ReturnType<typeof review>>, why: RegExp): void {
  expect([reviewed.code, reviewed.verdict]).toEqual([1, "blocked"]);
  expect(reviewed.reasons[0]).toEqual({ level: "error", text: expect.stringMatching(why) });
  expect(reviewed.verification).toMatchObject({ state: "skipped", why: expect.stringMatching(/\w/) });
  expect(reviewed.verified).toBe(6);
}

describe.each(["require", "off"] as const)("where signing is %s, the verdict of review", (signing) => {
  it("is blocked in a grafted clone and one with replace refs, as verify refuses it, and not without", async () => {
    const { team, base, head } = createChange({ signing });
    const range = `${base}..${head}`;
    expect(await review(team, range)).toMatchObject(judged);
    const grafts = join(team.repository.root, ".git", "info", "grafts");
    mkdirSync(join(grafts, ".."), { recursive: true });
    writeFileSync(grafts, `${base} ${team.root}\n`);
    expectBlocked(await review(team, range), /^nothing proves who wrote this: info\/grafts .*\(remove the file/);
    rmSync(grafts);
    team.repository.git("replace", base, team.root);
    expectBlocked(
      await review(team, range),
      /^nothing proves who wrote this: refs below refs\/replace\/ .*git replace -d/,
    );
    team.repository.git("replace", "-d", base);
    expect(await review(team, range)).toMatchObject(judged);
  });

  it("is blocked in a shallow clone and in a partial one, as verify refuses it", async () => {
    const { team, base, head } = createChange({ signing });
    team.repository.git("config", "uploadpack.allowFilter", "true");
    const clone = (option: string) => {
      const folder = join(team.repository.root, "..", option.slice(2, 6));
      team.repository.git("clone", "--quiet", option, `file://${team.repository.root}`, folder);
      return folder;
    };
    const range = `${base}..${head}`;
    expectBlocked(await review(team, range, clone("--depth=2")), /the clone is shallow: .*git fetch --unshallow/);
    const partial = clone("--filter=blob:none");
    // Nothing is fetched to answer: what the clone leaves out is not there.
    const { code, stderr } = await team.repository.run(["review", range, "-C", partial]);
    expect([6, 9]).toContain(code);
    expect(stderr).toContain("git fetch --refetch --no-filter");
    team.repository.git("-C", partial, "fetch", "--quiet", "--refetch", "--no-filter");
    expectBlocked(await review(team, range, partial), /the clone is partial: .*without --filter/);
  });
});

describe("the verdict of review", () => {
  it("is blocked by a commit that cannot be read, and says that verify does not judge it", async () => {
    const { team, head } = createChange();
    const shape = (text: string) => text.replace(/^parent .*\n/m, (line) => line + line);
    const broken = team.commit([head], { ...team.files, "README.md": "other\n" }, bob, { shape });
    const next = team.commit([broken], { ...team.files, "README.md": "next\n" }, bob);
    team.maker.write(next);
    const reviewed = await review(team, `${broken}..${next}`);
    expect([reviewed.verdict, reviewed.verified]).toEqual(["blocked", 6]);
    expect(reviewed.reasons[0]?.text).toContain("nothing proves who wrote this: the commit object is malformed");
  });

  it("asks for a look where the policy before the change cannot be used, and for none where there was none", async () => {
    const { team, head } = createChange();
    const files = { ...team.files, ...api({ API_KEY: [6, 1], DB_URL: [2, 1] }) };
    const broken = team.commit([head], { ...files, "policies/access.yaml": "version: 2\n" }, alice);
    const mended = team.commit([broken], { ...files, ...policyFiles({ version: 3 }) }, alice);
    team.maker.write(mended);
    const { reasons, verdict } = await review(team, `${broken}..${mended}`);
    expect(verdict).toBe("attention");
    expect(reasons.map(({ text }) => text).join()).toContain("nothing proves who wrote this: ");
    const empty = team.commit([], { "README.md": "test\n" });
    const first = team.commit([empty], team.files, alice);
    team.maker.write(first);
    const begun = await review(team, `${empty}..${first}`);
    expect(begun.verification.state).toBe("skipped");
    expect(begun.reasons.filter(({ text }) => text.startsWith("nothing proves"))).toEqual([]);
  });
});
