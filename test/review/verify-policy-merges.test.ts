import { execFileSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { ed25519Signer, type TestSigner } from "../support/ssh-signers.ts";
import {
  createSignedTeam,
  policyFiles,
  signers,
  type Files,
  type PrintedFinding,
  type SignedTeam,
} from "./signed-team.ts";

const { alice, bob } = signers;
const [erin, frank] = [ed25519Signer("erin"), ed25519Signer("frank")];
const attributes = "policies/access.yaml merge=sealtree\npolicies/members/*.pub merge=sealtree\n";
const keysOf = (name: keyof typeof signers, ...more: readonly TestSigner[]): Files => ({
  [`policies/members/${name}.pub`]: [signers[name], ...more].map(({ publicKey }) => `${publicKey.text}\n`).join(""),
});

let team: SignedTeam;
let files: Files;
let root: string;

beforeAll(async () => {
  team = createSignedTeam();
  files = { ...team.files, ".gitattributes": attributes };
  root = team.maker.commit({ files });
  team.maker.write(root);
  await team.repository.ok(["git-setup"]);
});

/** Two branches of the root, each with a change of the policy that alice signed. */
function fork(ours: Files, theirs: Files): readonly [string, string] {
  const [one, other] = [ours, theirs].map((change) => team.commit([root], { ...files, ...change }, alice));
  if (one === undefined || other === undefined) throw new Error("no commits");
  team.maker.write(one);
  team.maker.write(other, "side");
  return [one, other];
}

/** Lets git merge with our driver, and `settle` change the outcome; gives the tree. */
function mergeWithGit([one, other]: readonly [string, string], settle?: (policy: string) => string): string {
  const { repository } = team;
  repository.git("checkout", "--quiet", "--force", "--detach", one);
  repository.git("merge", "--quiet", "--no-commit", "--no-ff", other);
  if (settle !== undefined) {
    repository.write("policies/access.yaml", settle(repository.read("policies/access.yaml")));
    repository.git("add", "policies/access.yaml");
  }
  const tree = repository.git("write-tree").trim();
  repository.git("merge", "--abort");
  repository.git("symbolic-ref", "HEAD", "refs/heads/main");
  return tree;
}

/** What is said of the merge with that tree, by who signs it. */
async function judge(
  sides: readonly [string, string],
  tree: string,
  signer?: TestSigner,
): Promise<readonly PrintedFinding[]> {
  const shape = (text: string) => text.replace(/^tree .*/, `tree ${tree}`);
  const merge = team.commit(sides, files, signer, { shape });
  const { code, commits, findings } = await team.verify(merge, "--root", root, "--no-cache");
  expect([code, commits]).toEqual([findings.length === 0 ? 0 : 6, 3]);
  expect(findings.filter(({ commit }) => commit !== merge)).toEqual([]);
  return findings;
}

const versionIn = (tree: string) =>
  /^version: (\d+)$/m.exec(team.repository.git("show", `${tree}:policies/access.yaml`))?.[1];
const rulesOf = (findings: readonly PrintedFinding[]) => findings.map(({ rule }) => rule);

describe("two branches that both changed the policy, joined by our merge driver", () => {
  let sides: readonly [string, string];
  let tree: string;

  beforeAll(() => {
    const withErin = { ...policyFiles({ version: 2, extra: { erin } }) };
    sides = fork(withErin, policyFiles({ version: 2, roles: { carol: "dev" } }));
    tree = mergeWithGit(sides);
  });

  it("have both changes and a version above both", () => {
    const policy = team.repository.git("show", `${tree}:policies/access.yaml`);
    expect(versionIn(tree)).toBe("3");
    expect(policy).toMatch(/erin: \{ roles: \[admin\] \}/);
    expect(policy).toMatch(/carol: \{ roles: \[dev\] \}/);
  });

  it("are accepted when an admin signs the merge", async () => {
    expect(await judge(sides, tree, alice)).toEqual([]);
  });

  it("are refused when a member signs it who is no admin, and it says that an admin must", async () => {
    const [finding, ...more] = await judge(sides, tree, bob);
    expect([finding?.rule, more]).toEqual(["not-allowed", []]);
    expect(finding?.message).toContain("joins two policies, and bob lacks the right: admin");
    expect(finding?.hint).toContain("an admin looks at what the two policies come to, and signs the merge: git commit");
  });

  it("are refused when nobody signs it, and it says that an admin must", async () => {
    const [finding, ...more] = await judge(sides, tree);
    expect([finding?.rule, more]).toEqual(["evil-merge", []]);
    expect(finding?.message).toMatch(/joins two policies, which is on neither side, .*\(unsigned: it is not signed\)$/);
    expect(finding?.hint).toContain("signs the merge: git commit --amend --no-edit -S");
  });

  it("are refused when only the branch that is merged makes its signer an admin", async () => {
    const [withErin, other] = sides;
    const [finding, ...more] = await judge([other, withErin], tree, erin);
    expect([finding?.rule, more]).toEqual(["evil-merge", []]);
    expect(finding?.message).toContain("(policy-self-authorised: it is signed by erin");
    expect(await judge([withErin, other], tree, erin)).toEqual([]);
  });
});

describe.each([
  ["key files of two members", keysOf("bob", erin), keysOf("carol", frank)],
  ["the key file of one member", keysOf("bob", erin), keysOf("bob", frank)],
])("two branches that both changed %s and nothing else of the policy", (_what, ours, theirs) => {
  const second = policyFiles({ version: 2 })["policies/access.yaml"] ?? "";
  const sidesOf = () =>
    fork({ ...ours, "policies/access.yaml": second }, { ...theirs, "policies/access.yaml": second });

  it("leave a version that git takes as it is, and that verify refuses and check names, whoever signs", async () => {
    const sides = sidesOf();
    const tree = mergeWithGit(sides);
    expect(versionIn(tree)).toBe("2");
    expect(rulesOf(await judge(sides, tree))).toEqual(["evil-merge", "version-replayed"]);
    const [finding, ...more] = await judge(sides, tree, alice);
    expect([finding?.rule, more]).toEqual(["version-replayed", []]);
    expect(finding?.message).toBe("it joins two policies, and its version 2 was there before, the last being 2");
    expect(finding?.hint).toBe(
      "an admin does: set version: 3 in policies/access.yaml, then git commit --amend --no-edit -S policies/access.yaml",
    );
    const { stdout } = await team.repository.run(["check", "--json", "--at", "HEAD", "--base", sides[0]]);
    const { findings } = JSON.parse(stdout) as { findings: { rule: string; hint: string | null }[] };
    expect(findings.filter(({ rule }) => rule === "policy-version").map(({ hint }) => hint)).toEqual([
      "set version: 3",
    ]);
  });

  it("are accepted when an admin raises the version in the merge, and signs it", async () => {
    const sides = sidesOf();
    const tree = mergeWithGit(sides, (policy) => policy.replace("version: 2", "version: 3"));
    expect(await judge(sides, tree, alice)).toEqual([]);
    expect(rulesOf(await judge(sides, tree, bob))).toEqual(["not-allowed"]);
    expect(rulesOf(await judge(sides, tree))).toEqual(["evil-merge"]);
  });
});

describe("a change of the policy on one branch only", () => {
  it("is merged by anybody, signed or not, with what the other branch has", async () => {
    const side = team.commit(
      [root],
      { ...files, ...keysOf("bob", erin), ...policyFiles({ version: 2 }), ...keysOf("bob", erin) },
      alice,
    );
    const main = team.commit([root], { ...files, "README.md": "other\n" });
    team.maker.write(main);
    team.maker.write(side, "side");
    const tree = mergeWithGit([main, side]);
    expect(await judge([main, side], tree)).toEqual([]);
  });

  it("is amended into a merge as the hint says", () => {
    const { repository } = team;
    const [one, other] = fork(
      { ...keysOf("bob", erin), ...policyFiles({ version: 2 }), ...keysOf("bob", erin) },
      { ...policyFiles({ version: 2 }), ...keysOf("carol", frank) },
    );
    repository.git("checkout", "--quiet", "--force", "--detach", one);
    repository.git("merge", "--quiet", "--no-edit", other);
    repository.write(
      "policies/access.yaml",
      repository.read("policies/access.yaml").replace("version: 2", "version: 3"),
    );
    const env = { PATH: process.env["PATH"] ?? "", ...repository.env };
    execFileSync("git", ["commit", "--quiet", "--amend", "--no-edit", "policies/access.yaml"], {
      cwd: repository.root,
      env,
    });
    expect(repository.git("rev-parse", "HEAD^1", "HEAD^2").trim().split("\n")).toEqual([one, other]);
    expect(versionIn("HEAD^{tree}")).toBe("3");
  });
});
