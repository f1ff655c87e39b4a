import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { hasCode } from "../../src/errors.ts";
import { parseCommitObject, type CommitObject } from "../../src/git/commit-object.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";
import { ed25519Signer } from "../support/ssh-signers.ts";
import { mutations, pieceMutations, type Mutation } from "./mutated-bytes.ts";

const headers = [
  "encoding latin1\n",
  "gpgsig -----BEGIN SSH SIGNATURE-----\n dGVzdA==\n -----END SSH SIGNATURE-----\n",
  "gpgsig -----BEGIN PGP SIGNATURE-----\n test\n",
  "gpgsig-sha256 test\n",
  "gpgsigx test\n test\n",
  "mergetag object 1\n gpgsig test\n",
  "change-id test\n",
  "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n",
  `parent ${"1".repeat(40)}\n`,
  "author Eve <eve@example.test> 1 +0000\n",
  "committer Eve <eve@example.test> 1 +0000\n",
];
const inserted = fc.oneof(
  fc.constantFrom("\0", "\r", "\n", "\r\n", "\n\n", " ", "\n ", "\t", "<", ">", "\u00ff", "0", ...headers),
  fc.string({ unit: "binary-ascii", maxLength: 6 }),
);
const lines = (text: string) => text.split(/(?<=\n)/);
const mutated: fc.Arbitrary<Mutation> = mutations(
  inserted,
  pieceMutations(lines),
  pieceMutations(lines),
  // A header where headers are, and one line made two.
  fc.tuple(fc.nat(12), fc.constantFrom(...headers)).map(([index, header]): Mutation => (text) => {
    return lines(text).toSpliced(index, 0, header).join("");
  }),
  fc.nat(12).map(
    (index): Mutation =>
      (text) =>
        lines(text).toSpliced(index, 0, " more\n").join(""),
  ),
  // A header behind all others, something in a name, a date, the message.
  fc.constantFrom(...headers).map(
    (header): Mutation =>
      (text) =>
        text.replace("\n\n", `\n${header}\n`),
  ),
  inserted.map(
    (what): Mutation =>
      (text) =>
        text.replace(/(?<=\nauthor .)/, what),
  ),
  inserted.map(
    (what): Mutation =>
      (text) =>
        text.replace(/(?<=\ncommitter .*<)/, what),
  ),
  fc.integer({ min: -9, max: 1e12 }).map(
    (at): Mutation =>
      (text) =>
        text.replace(/(?<=> )[0-9]+/, `${at}`),
  ),
  fc.constantFrom("0", "00", "99999999999999999999").map((digits): Mutation => (text) => {
    return text.replace(/(?<=\nauthor .*> )/, digits);
  }),
  inserted.map(
    (what): Mutation =>
      (text) =>
        text + what,
  ),
  inserted.map(
    (what): Mutation =>
      (text) =>
        text.replace(/(?<=\ngpgsig .*\n .{5})/, what),
  ),
);

let repository: TestRepository;
/** Commits that git itself made, as latin1 text. */
let made: readonly string[];
/** What git hands to the program that judges signatures, one after another. */
let seen: string;

/** The commit, or undefined when it is refused as it should be. */
function parse(text: string): CommitObject | undefined {
  try {
    return parseCommitObject(Buffer.from(text, "latin1"), 40);
  } catch (error) {
    if (hasCode(error, "E_OBJECT_INVALID") && /^[a-z]/.test(error.message)) return undefined;
    throw error;
  }
}

function git(args: readonly string[], input = ""): Buffer {
  const env = { PATH: process.env["PATH"] ?? "", ...repository.env };
  return execFileSync("git", args, { cwd: repository.root, env, input, stdio: "pipe", maxBuffer: 1 << 28 });
}

/** Puts the objects where git reads them, whatever they are; gives their ids. */
function write(texts: readonly string[]): string[] {
  const folder = join(repository.home, "objects");
  mkdirSync(folder, { recursive: true });
  const files = texts.map((text, index) => {
    const file = join(folder, `${index}`);
    writeFileSync(file, text, "latin1");
    return file;
  });
  const args = ["hash-object", "-t", "commit", "-w", "--literally", "--stdin-paths"];
  return git(args, `${files.join("\n")}\n`)
    .toString()
    .trim()
    .split("\n");
}

/** A program that signs always alike, and keeps what it is asked to judge: git knows it as ssh-keygen. */
function installSigner(): void {
  seen = join(repository.home, "seen");
  mkdirSync(seen);
  writeFileSync(join(seen, "count"), "0\n");
  writeFileSync(join(seen, "signature"), ed25519Signer("alice").sign(Buffer.from("test")));
  const program = join(repository.home, "signer");
  const script = `#!/bin/sh
for word; do
  [ "$last" = -s ] && signature=$word
  last=$word
done
case "$2" in
sign) cp '${seen}/signature' "$last.sig" ;;
find-principals) exit 1 ;;
check-novalidate)
  read -r n <'${seen}/count'
  n=$((n + 1))
  echo $n >'${seen}/count'
  cat >'${seen}/'$n.payload
  cp "$signature" '${seen}/'$n.signature
  exit 1 ;;
esac
`;
  writeFileSync(program, script);
  chmodSync(program, 0o755);
  for (const [key, value] of [
    ["gpg.format", "ssh"],
    ["gpg.ssh.program", program],
    ["gpg.ssh.allowedSignersFile", "/dev/null"],
    ["user.signingkey", "key::ssh-ed25519 test"],
  ] as const)
    repository.git("config", key, value);
}

beforeAll(() => {
  repository = createRepository();
  installSigner();
  const commit = (message: string, ...more: string[]) =>
    repository.git(...more, "commit", "--quiet", "--allow-empty", "-m", message);
  commit("root");
  commit("signed\n\nwith a body\n", "-c", "commit.gpgsign=true");
  commit("Gr\u00fc\u00dfe", "-c", "i18n.commitEncoding=latin1");
  repository.git("branch", "side", "HEAD~1");
  repository.git("checkout", "--quiet", "side");
  commit("side", "-c", "user.name=\u00c9lo\u00efse");
  repository.git("tag", "-s", "-m", "tag", "v1");
  repository.git("checkout", "--quiet", "main");
  repository.git("merge", "--quiet", "--no-ff", "-S", "v1", "-m", "merge");
  const ids = repository.git("rev-list", "HEAD").trim().split("\n");
  made = ids.map((id) => git(["cat-file", "commit", id]).toString("latin1"));
});

describe("parseCommitObject", () => {
  it("takes what git makes: a root, a signed one, an encoding, a merge of a signed tag", () => {
    const read = made.map(parse);
    expect(read.map((commit) => commit?.flaw)).toEqual(made.map(() => undefined));
    expect(read.map((commit) => commit?.signature.kind)).toEqual(["ssh", "none", "none", "ssh", "none"]);
    expect(made.some((text) => text.includes("\nmergetag object "))).toBe(true);
    expect(read.find((commit) => commit?.parents.length === 2)?.subject).toBe("merge");
  });

  it("says of any bytes what they are, or refuses them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(made.length - 1), mutated, (bytes, index, mutate) => {
        parse(Buffer.from(bytes).toString("latin1"));
        parse(mutate(made[index] ?? ""));
      }),
      { numRuns: 2000 },
    );
  });

  it("refuses or reads headers of many megabytes in a moment: a pattern over them would not end", () => {
    const [head = ""] = made;
    const end = head.indexOf("\n\n") + 1;
    const long = (what: string, times: number) => head.slice(0, end) + what.repeat(times) + head.slice(end);
    expect(parse(long("x", 2_000_000))).toBeUndefined();
    expect(parse(long("x y\n", 200_000))?.flaw).toContain("git does not write");
    expect(parse(long("x y\n", 1).replace("x y\n", `x y\n${" \n".repeat(4_000_000)}`))?.flaw).toBeDefined();
    expect(parse(head.replace("author ", `author ${"A ".repeat(1_000_000)}`))?.flaw).toBeUndefined();
  });

  it("reads tree, parents, author and what was signed as git does, and takes nothing that git fsck names", () => {
    const samples = fc.sample(fc.tuple(fc.nat(made.length - 1), mutated), { numRuns: 2500, seed: 4 });
    const texts = [...new Set([...made, ...samples.map(([index, mutate]) => mutate(made[index] ?? ""))])];
    const taken = texts.flatMap((text) => {
      const commit = parse(text);
      return commit === undefined ? [] : [{ text, commit }];
    });
    // As many as to say something, and by far not all.
    expect([taken.length > 300, texts.length - taken.length > 300]).toEqual([true, true]);
    const ids = write(taken.map(({ text }) => text));
    expect(ids).toEqual(taken.map(({ text }) => idOf(text)));
    const format = "--format=%H%n%T%n%P%n%ce";
    const log = ["log", "--no-walk=unsorted", "-z", "--stdin"];
    const said = git([...log, format], `${ids.join("\n")}\n`)
      .toString("latin1")
      .split("\0")
      .slice(0, ids.length)
      .map((each) => each.split("\n"));
    const plain = taken.map(({ commit }) => commit.flaw === undefined);
    const own = taken.map(({ commit }, index) => [
      ids[index],
      commit.tree,
      commit.parents.join(" "),
      // Git shows other letters in UTF-8, whatever the commit says that they are.
      plain[index] === true && /^[ -~]*$/.test(commit.committerEmail) ? commit.committerEmail : said[index]?.[3],
    ]);
    expect(own).toEqual(said);

    const checked = taken.flatMap(({ commit }, index) => (plain[index] === true ? [{ commit, id: ids[index] }] : []));
    const known = checked.filter(({ commit: { signature } }) => ["none", "ssh"].includes(signature.kind));
    const judged = git(
      ["-c", "core.commitGraph=false", "log", "--no-walk=unsorted", "--format=%G?", "--stdin"],
      `${known.map(({ id }) => id).join("\n")}\n`,
    );
    const words = judged.toString().trim().split("\n");
    expect(words.map((word) => word === "N")).toEqual(known.map(({ commit }) => commit.signature.kind === "none"));
    const signed = known.flatMap(({ commit: { signature } }) => (signature.kind === "ssh" ? [signature] : []));
    expect(signed.length).toBeGreaterThan(50);
    const handed = (name: string) => readFileSync(join(seen, name), "latin1");
    for (const [index, { payload, armored }] of signed.entries()) {
      expect(Buffer.from(payload).toString("latin1")).toBe(handed(`${index + 1}.payload`));
      expect(armored).toBe(handed(`${index + 1}.signature`));
    }
    expect(existsSync(join(seen, `${signed.length + 1}.payload`))).toBe(false);

    const named = new Set(findFsckNames(repository));
    expect(checked.filter(({ id }) => named.has(id ?? "")).map(({ id }) => id)).toEqual([]);
    // What is refused and what has a flaw is there to be named.
    expect(write(texts.filter((text) => parse(text) === undefined)).length).toBeGreaterThan(500);
    expect(findFsckNames(repository).length).toBeGreaterThan(100);
  });
});

function idOf(text: string): string {
  const bytes = Buffer.from(text, "latin1");
  return createHash("sha1").update(`commit ${bytes.length}\0`).update(bytes).digest("hex");
}

/** The commits of which `git fsck --strict` says something; that it misses objects is no matter. */
function findFsckNames({ root, env }: TestRepository): string[] {
  const output = execFileSync("sh", ["-c", "git fsck --strict --no-dangling --full 2>&1; true"], {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return [...output.matchAll(/^(?:error|warning) in commit ([0-9a-f]{40}): \w+: /gm)].map(([, id = ""]) => id);
}
