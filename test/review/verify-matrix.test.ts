import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fingerprintOf } from "../../src/crypto/recipient.ts";
import { scopeFile } from "../history/made-history.ts";
import { ed25519Signer } from "../support/ssh-signers.ts";
import { api, createSignedTeam, policyFiles, signers, type Files, type SignedTeam } from "./signed-team.ts";

const { alice, bob, carol, dave } = signers;
const mallory = ed25519Signer("mallory");
const pgp = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQIzBAABCAAdFiEEtest\n -----END PGP SIGNATURE-----\n";
const host = { committer: "GitHub <noreply@github.com>", headers: pgp };
const removal = `{ version: 2, at: 2026-01-01 }`;
const removed = `removed:\n  bob: ${removal}\nremoved_keys:\n  "${fingerprintOf(bob.publicKey.text)}": ${removal.replace("{", "{ member: bob,")}\n`;

/** What a test makes of a team: a history that must be refused, and one like it that must not. */
interface Case {
  /** The last commit of each. */
  readonly refused: string;
  readonly accepted: string;
  /** The commit that is named; the last one without. */
  readonly named?: string;
  readonly rule: string;
  /** Goes before each is judged, for what is not in a commit. */
  readonly before?: Readonly<Record<"refused" | "accepted", () => void>>;
}

const files = (team: SignedTeam, ...more: readonly Files[]): Files => Object.assign({}, team.files, ...more);
const newKey = api({ API_KEY: [5, 1], DB_URL: [2, 1] });
const newUrl = api({ API_KEY: [1, 1], DB_URL: [7, 1] });

/** The policy after bob was removed, for a whole tree. */
function withoutBob(team: SignedTeam, ...more: readonly Files[]): Files {
  const policy = policyFiles({ version: 2, without: ["bob"], removed });
  const all = Object.entries(files(team, policy, ...more));
  return Object.fromEntries(all.filter(([path]) => path !== "policies/members/bob.pub"));
}

/** The attacks by the names that docs and issues use for them. */
const attacks: Readonly<Record<string, (team: SignedTeam) => Case>> = {
  unsigned(team) {
    const make = (signer?: typeof bob) => team.commit([team.root], files(team, newKey), signer);
    return { refused: make(), accepted: make(bob), rule: "unsigned" };
  },
  "unknown key"(team) {
    const make = (signer: typeof bob) => team.commit([team.root], files(team, newKey), signer);
    return { refused: make(mallory), accepted: make(bob), rule: "unknown-key" };
  },
  "revoked key"(team) {
    const gone = team.commit([team.root], withoutBob(team), alice);
    const make = (signer: typeof bob) => team.commit([gone], withoutBob(team, newKey), signer);
    return { refused: make(bob), accepted: make(alice), rule: "removed-key" };
  },
  "reader without write"(team) {
    const make = (signer: typeof bob) => team.commit([team.root], files(team, newKey), signer);
    return { refused: make(carol), accepted: make(bob), rule: "not-allowed" };
  },
  "writer of another scope"(team) {
    const make = (change: Files) => team.commit([team.root], files(team, change), dave);
    return { refused: make(newKey), accepted: make(scopeFile("dev/app", { TOKEN: [8, 1] })), rule: "not-allowed" };
  },
  PGP(team) {
    const tree = files(team, newKey);
    const refused = team.commit([team.root], tree, undefined, { headers: pgp });
    return { refused, accepted: team.commit([team.root], tree, bob), rule: "pgp" };
  },
  "wrong namespace"(team) {
    const make = (namespace: string) => team.commit([team.root], files(team, newKey), bob, { signing: { namespace } });
    return { refused: make("file"), accepted: make("git"), rule: "wrong-namespace" };
  },
  "tampered object"(team) {
    const make = (change: (signed: string) => string) =>
      team.commit([team.root], files(team, newKey), bob, { tamper: change });
    const accepted = make((signed) => signed);
    return { refused: make((signed) => signed.replace("\ntest\n", "\ntent\n")), accepted, rule: "bad-signature" };
  },
  "backdated commit"(team) {
    const gone = team.commit([team.root], withoutBob(team), alice, { at: 1_800_000_000 });
    const make = (signer: typeof bob) => team.commit([gone], withoutBob(team, newKey), signer, { at: 1_600_000_000 });
    return { refused: make(bob), accepted: make(alice), rule: "removed-key" };
  },
  "self-authorisation in the same range"(team) {
    const granted = files(team, policyFiles({ version: 2, extra: { mallory } }));
    const grant = team.commit([team.root], granted, alice);
    const use = team.commit([grant], { ...granted, ...newKey }, mallory);
    // Merged as one, the grant is under judgement itself; merged before, it counts.
    const merge = (first: string) => team.commit([first, use], { ...granted, ...newKey });
    return { refused: merge(team.root), accepted: merge(grant), named: use, rule: "policy-self-authorised" };
  },
  "stale branch cut before a removal"(team) {
    const gone = team.commit([team.root], withoutBob(team), alice);
    const stale = team.commit([team.root], files(team, newKey), bob);
    const again = team.commit([team.root], files(team, newKey), alice);
    const merge = (side: string) => team.commit([gone, side], withoutBob(team, newKey));
    return { refused: merge(stale), accepted: merge(again), named: stale, rule: "stale-branch" };
  },
  "evil merge"(team) {
    const main = team.commit([team.root], files(team, newUrl), alice);
    const side = team.commit([team.root], files(team, newKey), bob);
    const merge = (key: number) => team.commit([main, side], files(team, api({ API_KEY: [key, 1], DB_URL: [7, 1] })));
    return { refused: merge(9), accepted: merge(5), rule: "evil-merge" };
  },
  "replace ref"(team) {
    const tree = files(team, newKey);
    const [bad, good] = [team.commit([team.root], tree), team.commit([team.root], tree, bob)];
    team.maker.write(good, "good");
    team.maker.write(bad, "bad");
    const before = {
      refused: () => void team.repository.git("replace", bad, good),
      accepted: () => void team.repository.git("replace", "-d", bad),
    };
    return { refused: bad, accepted: good, named: "", rule: "replace-refs", before };
  },
  graft(team) {
    const middle = team.commit([team.root], files(team, newUrl), alice);
    const tip = team.commit([middle], files(team, newKey), bob);
    const grafts = join(team.repository.root, ".git", "info", "grafts");
    const before = {
      refused: () => {
        mkdirSync(join(grafts, ".."), { recursive: true });
        writeFileSync(grafts, `${tip} ${team.root}\n`);
      },
      accepted: () => rmSync(grafts),
    };
    return { refused: tip, accepted: tip, named: "", rule: "grafts", before };
  },
  "shallow clone"(team) {
    const tip = team.commit([team.root], files(team, newKey), bob);
    const file = join(team.repository.root, ".git", "shallow");
    // What `git clone --depth` leaves behind; test/review/verify-attacks.test.ts makes real ones.
    const before = { refused: () => writeFileSync(file, `${team.root}\n`), accepted: () => rmSync(file) };
    return { refused: tip, accepted: tip, named: "", rule: "shallow", before };
  },
  "two signatures"(team) {
    const make = (headers: string) => team.commit([team.root], files(team, newKey), bob, { headers });
    return { refused: make(pgp), accepted: make(""), rule: "two-signatures" };
  },
  "duplicate headers"(team) {
    const make = (times: number) =>
      team.commit([team.root], files(team, newKey), bob, {
        shape: (text) => text.replace(/^parent .*\n/m, (line) => line.repeat(times)),
      });
    return { refused: make(2), accepted: make(1), rule: "malformed-object" };
  },
  "policy version replayed"(team) {
    const gone = team.commit([team.root], withoutBob(team), alice);
    const make = (version: number) => {
      const policy = policyFiles({ version, without: ["bob"], removed, roles: { carol: "dev" } });
      return team.commit([gone], withoutBob(team, policy), alice);
    };
    return { refused: make(2), accepted: make(3), rule: "version-replayed" };
  },
  squash(team) {
    const side = team.commit([team.root], files(team, newKey), bob);
    const make = (...parents: string[]) => team.commit(parents, files(team, newKey), undefined, host);
    return { refused: make(team.root), accepted: make(team.root, side), rule: "squash" };
  },
};

describe("the attack", () => {
  it.each(Object.entries(attacks))(
    "%s is refused by its rule and its commit, and its twin accepted",
    async (_name, make) => {
      const team = createSignedTeam();
      const { refused, accepted, named = refused, rule, before } = make(team);
      before?.refused();
      team.maker.write(refused);
      const { code, stdout, stderr } = await team.repository.run(["verify", "--root", team.root]);
      expect([code, stderr]).toEqual([6, expect.stringMatching(/^refused: 1 error: \d+ commits? from /)]);
      const who = named === "" ? "this clone" : named.slice(0, 12);
      const [line = "", hint = "", ...more] = stdout.split("\n");
      expect(line.replace(/ \(te.t\)/, "").startsWith(`${who}: error ${rule}: `)).toBe(true);
      expect([hint.startsWith("  "), hint.trim() === "", more]).toEqual([true, false, [""]]);
      before?.accepted();
      expect(await team.verify(accepted, "--no-cache")).toMatchObject({ code: 0, accepted: true, findings: [] });
      // As a pull request it is judged alike, where it is one step.
      if (before === undefined && named === refused && rule !== "removed-key" && rule !== "version-replayed") {
        const range = await team.verify(refused, "--range", `${team.root}..${refused}`);
        expect(range.findings.map((finding) => [finding.commit, finding.rule])).toEqual([[named, rule]]);
      }
    },
  );

  it("has all nineteen names", () => {
    expect(Object.keys(attacks)).toHaveLength(19);
  });
});
