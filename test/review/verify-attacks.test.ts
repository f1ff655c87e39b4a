import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fingerprintOf } from "../../src/crypto/recipient.ts";
import { ed25519Signer } from "../support/ssh-signers.ts";
import { api, createSignedTeam, policyFiles, signers, type Files, type PrintedVerdict } from "./signed-team.ts";

const { alice, bob, carol, dave, robot } = signers;
const mallory = ed25519Signer("mallory");
const bobGone = `removed:\n  bob: { version: 2, at: 2026-01-01 }\nremoved_keys:\n  "${fingerprintOf(bob.publicKey.text)}": { member: bob, version: 2, at: 2026-01-01 }\n`;
const withoutBob = policyFiles({ version: 2, without: ["bob"], removed: bobGone });
/** The files of one tree over those of another, without what is named. */
function over(files: Files, more: Files, ...without: readonly string[]): Files {
  return Object.fromEntries(Object.entries({ ...files, ...more }).filter(([path]) => !without.includes(path)));
}
const bobKeyFile = "policies/members/bob.pub";
const newKey = api({ API_KEY: [5, 1], DB_URL: [2, 1] });
const pgp = "-----BEGIN PGP SIGNATURE-----\n \n iQIzBAABCAAdFiEEtest\n -----END PGP SIGNATURE-----";

function rulesOf({ findings }: PrintedVerdict): string[] {
  return findings.map(({ rule }) => rule);
}

/** The verdict refuses exactly one commit, by one rule, with a remedy, and exits with 6. */
function expectRefused(verdict: PrintedVerdict & { code: number }, commit: string | null, rule: string): void {
  expect(verdict.findings.map((finding) => [finding.commit, finding.rule, finding.severity])).toEqual([
    [commit, rule, "error"],
  ]);
  expect(verdict.findings[0]?.message).toMatch(/^[a-z]/);
  expect(verdict.findings[0]?.hint).not.toBe("");
  expect([verdict.accepted, verdict.code]).toEqual([false, 6]);
}

function expectAccepted(verdict: PrintedVerdict & { code: number }): void {
  expect([verdict.findings, verdict.accepted, verdict.code]).toEqual([[], true, 0]);
}

// The nineteen attacks that have a name stand in verify-matrix.test.ts.
describe("a commit with one parent", () => {
  it("is accepted when a writer of the scope signed it", async () => {
    const team = createSignedTeam();
    expectAccepted(await team.verify(team.commit([team.root], over(team.files, newKey), bob)));
  });

  it("is refused unsigned", async () => {
    const team = createSignedTeam();
    const commit = team.commit([team.root], over(team.files, newKey));
    const verdict = await team.verify(commit);
    expectRefused(verdict, commit, "unsigned");
    expect(verdict.findings[0]?.message).toBe("it sets prod/api/API_KEY, and it is not signed");
  });

  it("is refused with a removed key, and accepted before the removal", async () => {
    const team = createSignedTeam();
    const before = team.commit([team.root], over(team.files, newKey), bob);
    const files = over(team.files, { ...newKey, ...withoutBob }, bobKeyFile);
    const removal = team.commit([before], files, alice);
    expectAccepted(await team.verify(removal));
    const after = team.commit([removal], over(files, api({ API_KEY: [6, 1], DB_URL: [2, 1] })), bob);
    expectRefused(await team.verify(after), after, "removed-key");
  });

  it("is refused backdated: dates count for nothing", async () => {
    const team = createSignedTeam();
    const files = over(team.files, withoutBob, bobKeyFile);
    const removal = team.commit([team.root], files, alice, { at: 1_800_000_000 });
    const commit = team.commit([removal], over(files, newKey), bob, { at: 1_600_000_000 });
    expectRefused(await team.verify(commit), commit, "removed-key");
    const honest = team.commit([removal], over(files, newKey), alice, { at: 1_600_000_000 });
    expectAccepted(await team.verify(honest));
  });

  it("is refused from a reader who may not write", async () => {
    const team = createSignedTeam();
    const commit = team.commit([team.root], over(team.files, newKey), carol);
    const verdict = await team.verify(commit);
    expectRefused(verdict, commit, "not-allowed");
    expect(verdict.findings[0]?.message).toContain("carol lacks the right: write or rotate in prod/api");
  });

  it("is refused as a whole when one of its files is not covered", async () => {
    const team = createSignedTeam();
    const commit = team.commit([team.root], over(team.files, { ...newKey, ".gitattributes": "* -text\n" }), bob);
    expectRefused(await team.verify(commit), commit, "not-allowed");
  });

  it("is refused with two signatures, also when both are good", async () => {
    const team = createSignedTeam();
    const commit = team.commit([team.root], over(team.files, newKey), bob, { headers: `gpgsig ${pgp}\n` });
    expectRefused(await team.verify(commit), commit, "two-signatures");
    const twice = team.commit([team.root], over(team.files, newKey), bob, {
      tamper: (text) =>
        text.replace(/gpgsig (?:.*\n )+.*\n/, (header) => header + header.replace("gpgsig", "gpgsig-sha256")),
    });
    expectRefused(await team.verify(twice), twice, "two-signatures");
  });

  it("is refused with a second tree, parent, author or committer", async () => {
    const team = createSignedTeam();
    for (const name of ["tree", "parent", "author", "committer"]) {
      const shape = (text: string) =>
        text.replace(
          new RegExp(`(committer .*\n)`),
          (_all, line: string) => line + (new RegExp(`^${name} .*\n`, "m").exec(text)?.[0] ?? ""),
        );
      const commit = team.commit([team.root], over(team.files, newKey), bob, { shape });
      expectRefused(await team.verify(commit), commit, "malformed-object");
    }
  });

  it("is refused with a header that git does not write, and accepted with an encoding", async () => {
    const team = createSignedTeam();
    const commit = team.commit([team.root], over(team.files, newKey), bob, { headers: "change-id abc\n" });
    expectRefused(await team.verify(commit), commit, "malformed-object");
    expectAccepted(
      await team.verify(team.commit([team.root], over(team.files, newKey), bob, { headers: "encoding UTF-8\n" })),
    );
  });

  it("is refused with a NUL byte, behind which git shows nothing", async () => {
    const team = createSignedTeam();
    const commit = team.commit([team.root], over(team.files, newKey), bob, { message: "test\0more" });
    expectRefused(await team.verify(commit), commit, "malformed-object");
  });

  it("is refused as a squash of the host, and the merge of the same branch accepted", async () => {
    const team = createSignedTeam();
    const files = over(team.files, newKey);
    const branch = team.commit([team.root], files, bob);
    const squash = team.commit([team.root], files, undefined, {
      committer: "GitHub <noreply@github.com>",
      headers: `gpgsig ${pgp}\n`,
    });
    expectRefused(await team.verify(squash), squash, "squash");
    const merge = team.commit([team.root, branch], files, undefined, {
      committer: "GitHub <noreply@github.com>",
      headers: `gpgsig ${pgp}\n`,
    });
    expectAccepted(await team.verify(merge));
  });

  it("is refused when only itself makes its writer one", async () => {
    const team = createSignedTeam();
    const own = policyFiles({ version: 2, extra: { mallory } });
    const commit = team.commit([team.root], over(team.files, { ...own, ...newKey }), mallory);
    expectRefused(await team.verify(commit), commit, "policy-self-authorised");
  });

  it("that raises its writer's own role is refused, and so is what comes after it", async () => {
    const team = createSignedTeam();
    const raised = over(team.files, policyFiles({ version: 2, roles: { carol: "admin" } }));
    const raise = team.commit([team.root], raised, carol);
    const use = team.commit([raise], over(raised, newKey), carol);
    const verdict = await team.verify(use);
    expect(verdict.findings.map(({ commit, rule }) => [commit, rule])).toEqual([
      [raise, "policy-self-authorised"],
      [use, "policy-self-authorised"],
    ]);
    const granted = team.commit([team.root], raised, alice);
    expectAccepted(await team.verify(team.commit([granted], over(raised, newKey), carol)));
  });

  it("is refused with a link where a file belongs, whoever signs", async () => {
    const team = createSignedTeam();
    const link = { "secrets/prod/api.yaml": { mode: "120000", text: "/etc/passwd" } };
    const commit = team.commit([team.root], over(team.files, link), alice);
    expectRefused(await team.verify(commit), commit, "odd-file");
  });

  it("is refused when it writes to a name that a file system takes for ours", async () => {
    const team = createSignedTeam();
    for (const path of [
      "Secrets/prod/api.yaml",
      "POLICIES/access.yaml",
      ".GitHub/workflows/ci.yml",
      "secre\u200bts/a.yaml",
    ]) {
      const commit = team.commit([team.root], over(team.files, { [path]: "test\n" }), bob);
      expectRefused(await team.verify(commit), commit, "not-allowed");
    }
  });

  it("is refused when it hides a file of ours under a name with a slash, whoever signs", async () => {
    const team = createSignedTeam();
    team.maker.write(team.root);
    const { repository } = team;
    for (const mode of ["100644", "0100644"]) {
      const blob = repository.git("rev-parse", `${team.root}:README.md`);
      const item = Buffer.concat([Buffer.from(`${mode} secrets/prod/hidden.yaml\0`), Buffer.from(blob.trim(), "hex")]);
      const whole = execFileSync("git", ["cat-file", "tree", `${team.root}^{tree}`], { cwd: repository.root });
      repository.write("../tree", Buffer.concat([whole, item]));
      const tree = repository.git("hash-object", "-t", "tree", "-w", "--literally", "../tree").trim();
      // Git reads it as the file of that path, and puts it there in every clone.
      expect(repository.git("ls-tree", "--name-only", "-r", tree)).toContain("secrets/prod/hidden.yaml\n");
      for (const signer of [undefined, alice]) {
        const shape = (text: string) => text.replace(/^tree .*/, `tree ${tree}`);
        const commit = team.commit([team.root], team.files, signer, { shape });
        expectRefused(await team.verify(commit), commit, "malformed-object");
      }
    }
  });

  it("needs no signature when it leaves our files alone, unless --all asks for one", async () => {
    const team = createSignedTeam();
    const commit = team.commit([team.root], over(team.files, { "README.md": "other\n" }));
    expectAccepted(await team.verify(commit));
    expectRefused(await team.verify(commit, "--all"), commit, "unsigned");
    expectAccepted(
      await team.verify(team.commit([team.root], over(team.files, { "README.md": "other\n" }), carol), "--all"),
    );
  });
});

describe("a change of the policy", () => {
  it("is accepted from an admin with the next version", async () => {
    const team = createSignedTeam();
    expectAccepted(await team.verify(team.commit([team.root], over(team.files, withoutBob, bobKeyFile), alice)));
  });

  it("is refused from a writer", async () => {
    const team = createSignedTeam();
    const commit = team.commit([team.root], over(team.files, withoutBob, bobKeyFile), dave);
    expectRefused(await team.verify(commit), commit, "not-allowed");
  });

  it("is refused with a version that was there before, and with one that skips some", async () => {
    const team = createSignedTeam();
    const files = over(team.files, withoutBob, bobKeyFile);
    const removal = team.commit([team.root], files, alice);
    const replay = team.commit([removal], team.files, alice);
    expect(rulesOf(await team.verify(replay))).toContain("version-replayed");
    const skip = team.commit([team.root], over(team.files, policyFiles({ version: 4 })), alice);
    expectRefused(await team.verify(skip), skip, "version-skipped");
    const key = team.commit(
      [team.root],
      over(team.files, { "policies/members/carol.pub": `${mallory.publicKey.text}\n` }),
      alice,
    );
    expectRefused(await team.verify(key), key, "version-replayed");
  });

  it("is refused when it takes back a removal", async () => {
    const team = createSignedTeam();
    const removal = team.commit([team.root], over(team.files, withoutBob, bobKeyFile), alice);
    const back = team.commit([removal], over(team.files, policyFiles({ version: 3 })), alice);
    expectRefused(await team.verify(back), back, "removal-undone");
  });

  it("is refused when it leaves a policy that cannot be used, and the one before goes on to count", async () => {
    const team = createSignedTeam();
    const files = over(team.files, { "policies/access.yaml": "version: 2\n" });
    const broken = team.commit([team.root], files, alice);
    const next = team.commit([broken], over(files, newKey), bob);
    expectRefused(await team.verify(next), broken, "policy-invalid");
  });

  it("takes effect with the next step, not within its own", async () => {
    const team = createSignedTeam();
    const withMallory = over(team.files, policyFiles({ version: 2, extra: { mallory } }));
    const admit = team.commit([team.root], withMallory, alice);
    const use = team.commit([admit], over(withMallory, newKey), mallory);
    expectAccepted(await team.verify(use));
    const merged = team.commit([team.root, use], over(withMallory, newKey));
    expectRefused(await team.verify(merged), use, "policy-self-authorised");
    expectRefused(await team.verify(use, "--range", `${team.root}..${use}`), use, "policy-self-authorised");
  });

  it("of workflows, attributes or code owners takes an admin", async () => {
    const team = createSignedTeam();
    for (const path of [
      ".github/workflows/ci.yml",
      ".gitattributes",
      ".github/CODEOWNERS",
      "policies/rotation.yaml",
      "secrets/stray.txt",
    ]) {
      const files = over(team.files, { [path]: "test\n" });
      const commit = team.commit([team.root], files, bob);
      expectRefused(await team.verify(commit), commit, "not-allowed");
      expectAccepted(await team.verify(team.commit([team.root], files, alice)));
    }
  });
});

describe("rights", () => {
  it("tell setting, rotating, sealing again, bringing back and removing apart", async () => {
    const team = createSignedTeam();
    const cases: readonly (readonly [Files, "write" | "rotate" | "admin" | "none"])[] = [
      [api({ API_KEY: [5, 1], DB_URL: [2, 1] }), "rotate"],
      [api({ API_KEY: [1, 2], DB_URL: [2, 2] }), "write"],
      [api({ API_KEY: [0, 1], DB_URL: [2, 1] }), "write"],
      [api({ API_KEY: [1, 1], DB_URL: [2, 1], NEW: [6, 1] }), "write"],
      [api({ API_KEY: [1, 1] }), "write"],
    ];
    for (const [records, right] of cases) {
      const files = over(team.files, records);
      expectAccepted(await team.verify(team.commit([team.root], files, bob)));
      const commit = team.commit([team.root], files, robot);
      const verdict = await team.verify(commit);
      if (right === "rotate") expectAccepted(verdict);
      else expectRefused(verdict, commit, "not-allowed");
    }
  });
});

describe("a merge", () => {
  /** main sets DB_URL, a branch of the root sets API_KEY; both signed. */
  function createFork() {
    const team = createSignedTeam();
    const main = team.commit([team.root], over(team.files, api({ API_KEY: [1, 1], DB_URL: [7, 1] })), alice);
    const side = team.commit([team.root], over(team.files, newKey), bob);
    return { team, main, side };
  }

  it("is accepted unsigned when every record is the one of the side that changed it", async () => {
    const { team, main, side } = createFork();
    expectAccepted(
      await team.verify(team.commit([main, side], over(team.files, api({ API_KEY: [5, 1], DB_URL: [7, 1] })))),
    );
  });

  it("is refused with a value that is on neither side, and accepted when a writer signs it", async () => {
    const { team, main, side } = createFork();
    const files = over(team.files, api({ API_KEY: [9, 1], DB_URL: [7, 1] }));
    const evil = team.commit([main, side], files);
    const verdict = await team.verify(evil);
    expectRefused(verdict, evil, "evil-merge");
    expect(verdict.findings[0]?.message).toContain("sets prod/api/API_KEY");
    expectAccepted(await team.verify(team.commit([main, side], files, bob)));
    const reader = team.commit([main, side], files, carol);
    expectRefused(await team.verify(reader), reader, "not-allowed");
  });

  it("is refused when it drops what one side changed, or takes an older value for a newer", async () => {
    const { team, main, side } = createFork();
    for (const records of [
      api({ API_KEY: [1, 1], DB_URL: [7, 1] }),
      api({ API_KEY: [5, 1], DB_URL: [2, 1] }),
      api({ API_KEY: [5, 1] }),
    ]) {
      const evil = team.commit([main, side], over(team.files, records));
      expectRefused(await team.verify(evil), evil, "evil-merge");
      expectAccepted(await team.verify(team.commit([main, side], over(team.files, records), bob)));
    }
  });

  it("may take either where both sides set a value, and not the one that was only sealed again", async () => {
    const team = createSignedTeam();
    const main = team.commit([team.root], over(team.files, api({ API_KEY: [8, 1], DB_URL: [2, 2] })), alice);
    const side = team.commit([team.root], over(team.files, api({ API_KEY: [5, 1], DB_URL: [9, 1] })), bob);
    expectAccepted(
      await team.verify(team.commit([main, side], over(team.files, api({ API_KEY: [5, 1], DB_URL: [9, 1] })))),
    );
    expectAccepted(
      await team.verify(team.commit([main, side], over(team.files, api({ API_KEY: [8, 1], DB_URL: [9, 1] })))),
    );
    const evil = team.commit([main, side], over(team.files, api({ API_KEY: [5, 1], DB_URL: [2, 2] })));
    expectRefused(await team.verify(evil), evil, "evil-merge");
  });

  it("brings in an unsigned commit of its side as refused", async () => {
    const team = createSignedTeam();
    const main = team.commit([team.root], over(team.files, { "README.md": "main\n" }));
    const side = team.commit([team.root], over(team.files, newKey));
    const undone = team.commit([side], team.files, bob);
    const merge = team.commit([main, undone], over(team.files, { "README.md": "main\n" }));
    expectRefused(await team.verify(merge), side, "unsigned");
  });

  it("is refused with a branch that was cut before its writer was removed", async () => {
    const team = createSignedTeam();
    const files = over(team.files, withoutBob, bobKeyFile);
    const stale = team.commit([team.root], over(team.files, newKey), bob);
    const removal = team.commit([team.root], files, alice);
    const merge = team.commit([removal, stale], over(files, newKey));
    expectRefused(await team.verify(merge), stale, "stale-branch");
    const inTime = team.commit([team.root, stale], over(team.files, newKey));
    expectAccepted(await team.verify(team.commit([inTime], over(files, newKey), alice)));
  });

  it("is refused when it brings the policy of an old branch back", async () => {
    const team = createSignedTeam();
    const files = over(team.files, withoutBob, bobKeyFile);
    const side = team.commit([team.root], over(team.files, newKey), alice);
    const removal = team.commit([team.root], files, alice);
    const evil = team.commit([removal, side], over(team.files, newKey));
    expectRefused(await team.verify(evil), evil, "evil-merge");
    expectAccepted(await team.verify(team.commit([removal, side], over(files, newKey))));
  });

  it("of two changes of the policy takes an admin and a version above both", async () => {
    const team = createSignedTeam();
    const one = team.commit([team.root], over(team.files, withoutBob, bobKeyFile), alice);
    const other = team.commit([team.root], over(team.files, policyFiles({ version: 2, extra: { mallory } })), alice);
    for (const [files, signer] of [
      [over(team.files, withoutBob, bobKeyFile), undefined],
      [over(team.files, policyFiles({ version: 2, extra: { mallory } })), undefined],
      [
        over(
          team.files,
          policyFiles({ version: 3, extra: { mallory }, without: ["bob"], removed: bobGone }),
          bobKeyFile,
        ),
        bob,
      ],
    ] as const) {
      const verdict = await team.verify(team.commit([one, other], files, signer));
      expect([verdict.code, verdict.findings.length > 0]).toEqual([6, true]);
    }
    const joined = over(
      team.files,
      policyFiles({ version: 3, extra: { mallory }, without: ["bob"], removed: bobGone }),
      bobKeyFile,
    );
    expectAccepted(await team.verify(team.commit([one, other], joined, alice)));
    const low = over(
      team.files,
      policyFiles({ version: 2, extra: { mallory }, without: ["bob"], removed: bobGone }),
      bobKeyFile,
    );
    const replay = team.commit([one, other], low, alice);
    expectRefused(await team.verify(replay), replay, "version-replayed");
  });

  it("within a branch, such as an update from main, is judged alike", async () => {
    const { team, main, side } = createFork();
    const both = over(team.files, api({ API_KEY: [5, 1], DB_URL: [7, 1] }));
    const update = team.commit([side, main], both);
    expectAccepted(await team.verify(team.commit([main, update], both)));
    const dropped = over(team.files, newKey);
    const evil = team.commit([side, main], dropped);
    expectRefused(await team.verify(team.commit([main, evil], dropped)), evil, "evil-merge");
  });

  it("of three sides that differ, and a history of its own, are refused", async () => {
    const { team, main, side } = createFork();
    const third = team.commit([team.root], over(team.files, { "README.md": "third\n" }));
    const octopus = team.commit([main, side, third], over(team.files, api({ API_KEY: [5, 1], DB_URL: [7, 1] })));
    expectRefused(await team.verify(octopus), octopus, "octopus");
    const own = team.commit([], over(team.files, newKey), alice);
    const merge = team.commit([main, own], over(team.files, api({ API_KEY: [1, 1], DB_URL: [7, 1] })), alice);
    expect(rulesOf(await team.verify(merge))).toContain("root-commit");
    const foreign = team.commit([], { "library/a.txt": "test\n" });
    const subtree = team.commit([team.root, foreign], over(team.files, { "library/a.txt": "test\n" }));
    expectAccepted(await team.verify(subtree));
  });
});

describe("a clone", () => {
  it("is refused with a replace ref, and accepted without", async () => {
    const team = createSignedTeam();
    const good = team.commit([team.root], over(team.files, newKey), bob);
    const bad = team.commit([team.root], over(team.files, newKey));
    team.maker.write(good, "good");
    team.maker.write(bad);
    expect(rulesOf(await team.verify(bad))).toEqual(["unsigned"]);
    team.repository.git("replace", bad, good);
    expectRefused(await team.verify(bad), null, "replace-refs");
    team.repository.git("replace", "-d", bad);
    expectAccepted(await team.verify(good));
  });

  it("is refused shallow or partial, and accepted whole", async () => {
    const team = createSignedTeam();
    const tip = team.commit([team.root], over(team.files, newKey), bob);
    expectAccepted(await team.verify(tip));
    team.repository.git("config", "uploadpack.allowFilter", "true");
    const from = `file://${team.repository.root}`;
    for (const [rule, option] of [
      ["shallow", "--depth=1"],
      ["partial", "--filter=blob:none"],
    ] as const) {
      const to = join(team.repository.root, "..", rule);
      team.repository.git("clone", "--quiet", option, from, to);
      const { code, stdout } = await team.repository.run(["verify", "--root", tip, "--json", "-C", to]);
      expect([code, rulesOf(JSON.parse(stdout))]).toEqual([6, [rule]]);
    }
  });
});

describe("the anchor of a deploy", () => {
  it("must come before what is deployed", async () => {
    const team = createSignedTeam();
    const first = team.commit([team.root], over(team.files, newKey), bob);
    const second = team.commit([first], over(team.files, api({ API_KEY: [6, 1], DB_URL: [2, 1] })), bob);
    expectAccepted(await team.verify(second, "--deployed", second, "--anchor", first));
    expectRefused(await team.verify(second, "--deployed", first, "--anchor", second), null, "not-an-ancestor");
    const rewritten = team.commit([team.root], over(team.files, api({ API_KEY: [7, 1], DB_URL: [2, 1] })), bob);
    expectRefused(await team.verify(rewritten, "--deployed", rewritten, "--anchor", first), null, "not-an-ancestor");
  });

  it("may have come in by the second parent: then all is judged by its policy", async () => {
    const team = createSignedTeam();
    const anchor = team.commit([team.root], over(team.files, withoutBob, bobKeyFile), alice);
    const side = team.commit([team.root], over(team.files, newKey), bob);
    const turned = team.commit([side, anchor], over(team.files, { ...withoutBob, ...newKey }, bobKeyFile));
    expectRefused(await team.verify(turned, "--deployed", turned, "--anchor", anchor), side, "stale-branch");
    const honest = team.commit([team.root], over(team.files, newKey), alice);
    const fine = team.commit([honest, anchor], over(team.files, { ...withoutBob, ...newKey }, bobKeyFile));
    expectAccepted(await team.verify(fine, "--deployed", fine, "--anchor", anchor));
  });
});
