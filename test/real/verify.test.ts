import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findSshSignature, isSignatureOf } from "../../src/crypto/sshsig.ts";
import { parseCommitObject } from "../../src/git/commit-object.ts";
import { createCommitMaker } from "../support/make-commits.ts";
import { createRepository } from "../support/repository.ts";
import {
  ecdsaSigner,
  ed25519Signer,
  rsaSigner,
  skEcdsaSigner,
  skEd25519Signer,
  type TestSigner,
} from "../support/ssh-signers.ts";
import { api, createSignedTeam } from "../review/signed-team.ts";

const folder = mkdtempSync(join(tmpdir(), "sealtree-verify-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const signers: readonly TestSigner[] = [
  ed25519Signer("alice"),
  rsaSigner("sha256"),
  rsaSigner("sha512"),
  ecdsaSigner("nistp256"),
  ecdsaSigner("nistp384"),
  ecdsaSigner("nistp521"),
  skEd25519Signer("alice"),
  skEcdsaSigner(),
];

/** Each as a change of the signed object; the first leaves it as it is. */
const changes: readonly (readonly [what: string, change: (signed: string) => string])[] = [
  ["good", (signed) => signed],
  ["another message", (signed) => signed.replace("\ntest ", "\ntent ")],
  ["another tree", (signed) => signed.replace(/^tree ./, (start) => (start === "tree 0" ? "tree 1" : "tree 0"))],
  [
    "another byte in the signature",
    (signed) =>
      signed.replace(
        /([A-Za-z0-9])(\n -----END)/,
        (_all, last: string, end: string) => (last === "A" ? "B" : "A") + end,
      ),
  ],
  ["no signature", (signed) => signed.replace(/gpgsig (?:.*\n )+.*\n/, "")],
];

/** What our reader says of a commit: true for an SSH signature for git that fits it, by a key of the list. */
function isGoodCommit(bytes: Uint8Array, keys: ReadonlySet<string>): boolean {
  const { signature, flaw } = parseCommitObject(bytes, 40);
  if (signature.kind !== "ssh" || flaw !== undefined) return false;
  const found = findSshSignature(signature.armored);
  return found?.namespace === "git" && keys.has(found.publicKey.text) && isSignatureOf(found, signature.payload);
}

function sshKeygen(args: readonly string[], input: Uint8Array): number | null {
  const { status, error } = spawnSync("ssh-keygen", args, { input });
  if (error !== undefined) throw error;
  return status;
}

describe("a commit that we judge", () => {
  it("is judged alike by git verify-commit, a thousand times", () => {
    const repository = createRepository();
    const maker = createCommitMaker(repository);
    const strangers = [ed25519Signer("mallory"), ecdsaSigner("nistp256")];
    const made: { readonly id: string; readonly signer: TestSigner }[] = [];
    for (let index = 0; index < 1000; index++) {
      const all = [...signers, ...strangers];
      const signer = all[index % all.length] ?? all[0] ?? strangers[0];
      if (signer === undefined) throw new Error("no signer");
      const [, tamper] = changes[index % 7 < 4 ? 0 : index % changes.length] ?? changes[0] ?? [];
      const hash = index % 2 === 0 ? "sha256" : "sha512";
      const namespace = index % 11 === 0 ? "file" : "git";
      const id = maker.commit({
        files: {},
        message: `test ${index}`,
        signer,
        signing: { hash, namespace },
        ...(tamper === undefined ? {} : { tamper }),
      });
      made.push({ id, signer });
    }
    maker.write(maker.commit({ files: {}, parents: made.slice(-1).map(({ id }) => id) }));
    const allowed = join(folder, "allowed_signers");
    writeFileSync(allowed, signers.map(({ publicKey }) => `alice namespaces="git" ${publicKey.text}\n`).join(""));
    const keys = new Set(signers.map(({ publicKey }) => publicKey.text));
    const raw = spawnSync("git", ["cat-file", "--batch"], {
      cwd: repository.root,
      input: made.map(({ id }) => `${id}\n`).join(""),
      maxBuffer: 1 << 28,
    });
    const objects = splitBatch(raw.stdout);
    // %G? runs ssh-keygen as verify-commit does, for all of them in one process of git.
    const format = [
      "-c",
      `gpg.ssh.allowedSignersFile=${allowed}`,
      "log",
      "--no-walk=unsorted",
      "--format=%H %G?",
      "--stdin",
    ];
    const log = spawnSync("git", format, {
      cwd: repository.root,
      input: made.map(({ id }) => `${id}\n`).join(""),
      encoding: "utf8",
    });
    const said = new Map(
      log.stdout
        .trim()
        .split("\n")
        .map((line) => [line.slice(0, 40), line.slice(41)] as const),
    );
    expect(said.size).toBe(1000);
    const differing = made.filter(
      ({ id }, index) => isGoodCommit(objects[index] ?? Buffer.alloc(0), keys) !== (said.get(id) === "G"),
    );
    expect(differing.map(({ id, signer }) => `${signer.publicKey.type} ${said.get(id) ?? ""}`)).toEqual([]);
    const good = [...said.values()].filter((word) => word === "G").length;
    expect([good > 400, good < 700]).toEqual([true, true]);
  });

  it("differs from git only where it is meant to", () => {
    const repository = createRepository();
    const maker = createCommitMaker(repository);
    const alice = ed25519Signer("alice");
    const weak = rsaSigner("sha512", 1024);
    const unknown = maker.commit({ files: {}, signer: alice, headers: "change-id abc\n" });
    const hidden = maker.commit({ files: {}, signer: alice, message: "test\0more" });
    const reserved = maker.commit({
      files: {},
      signer: alice,
      tamper: (text) => text.replace(/(\n [^\n]*)(\n -----END)/, "$1$2\n "),
    });
    const short = maker.commit({ files: {}, signer: weak });
    maker.write(maker.commit({ files: {}, parents: [unknown, hidden, reserved, short] }));
    const allowed = join(folder, "allowed_differing");
    writeFileSync(allowed, `alice ${alice.publicKey.text}\nalice ${weak.publicKey.text}\n`);
    const verdict = (id: string) => {
      const { status } = spawnSync("git", ["-c", `gpg.ssh.allowedSignersFile=${allowed}`, "verify-commit", id], {
        cwd: repository.root,
      });
      const { stdout } = spawnSync("git", ["cat-file", "commit", id], { cwd: repository.root });
      return [status === 0, isGoodCommit(stdout, new Set([alice.publicKey.text, weak.publicKey.text]))];
    };
    expect(verdict(unknown)).toEqual([true, false]);
    expect(verdict(hidden)[1]).toBe(false);
    expect(verdict(reserved)[1]).toBe(false);
    expect(verdict(short)[1]).toBe(false);
  });

  it("is accepted when git and ssh-keygen themselves signed it", async () => {
    const team = createSignedTeam();
    team.maker.write(team.root);
    const { repository } = team;
    const key = join(folder, "real");
    expect(sshKeygen(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", key], Buffer.alloc(0))).toBe(0);
    const publicKey = readFileSync(`${key}.pub`, "utf8").split(" ").slice(0, 2).join(" ");
    repository.git("reset", "--quiet", "--hard");
    repository.write("policies/members/bob.pub", `${publicKey}\n`);
    repository.git("commit", "--quiet", "--all", "--message", "policies: bob has another key");
    const root = repository.git("rev-parse", "HEAD").trim();
    for (const [name, value] of [
      ["gpg.format", "ssh"],
      ["user.signingkey", `${key}.pub`],
      ["commit.gpgsign", "true"],
    ] as const)
      repository.git("config", name, value);
    for (const [path, text] of Object.entries(api({ API_KEY: [9, 1], DB_URL: [2, 1] })))
      repository.write(path, typeof text === "string" ? text : text.text);
    repository.git("commit", "--quiet", "--all", "--message", "secrets(prod/api): set API_KEY");
    const { stdout } = await repository.ok(["verify", "--root", root, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ accepted: true, commits: 1, findings: [] });
  });
});

describe("an SSH signature", () => {
  it("of ours is one for ssh-keygen, of every type of key, and the other way round", () => {
    for (const [index, signer] of signers.entries()) {
      const message = Buffer.from(`test message ${index}`);
      const [signature, allowed] = [join(folder, `sig-${index}`), join(folder, `allowed-${index}`)];
      writeFileSync(allowed, `alice ${signer.publicKey.text}\n`);
      for (const namespace of ["git", "file"]) {
        writeFileSync(signature, signer.sign(message, { namespace }));
        const args = ["-Y", "verify", "-f", allowed, "-I", "alice", "-n", "git", "-s", signature];
        const found = findSshSignature(readFileSync(signature, "utf8"));
        const isOurs = found?.namespace === "git" && isSignatureOf(found, message);
        expect([signer.publicKey.type, namespace, sshKeygen(args, message) === 0]).toEqual([
          signer.publicKey.type,
          namespace,
          isOurs,
        ]);
      }
    }
    mkdirSync(join(folder, "keys"));
    for (const [type, ...size] of [
      ["ed25519"],
      ["rsa", "-b", "2048"],
      ["ecdsa", "-b", "256"],
      ["ecdsa", "-b", "384"],
      ["ecdsa", "-b", "521"],
    ]) {
      const key = join(folder, "keys", `${type ?? ""}${size.at(-1) ?? ""}`);
      sshKeygen(["-q", "-t", type ?? "", ...size, "-N", "", "-f", key], Buffer.alloc(0));
      const signed = spawnSync("ssh-keygen", ["-Y", "sign", "-q", "-n", "git", "-f", key], { input: "test message" });
      const found = findSshSignature(signed.stdout.toString());
      expect(found !== undefined && isSignatureOf(found, Buffer.from("test message"))).toBe(true);
    }
  });
});

function splitBatch(output: Buffer): Buffer[] {
  const objects: Buffer[] = [];
  for (let start = 0; start < output.length;) {
    const end = output.indexOf(10, start);
    const size = Number(output.toString("latin1", start, end).split(" ")[2]);
    objects.push(output.subarray(end + 1, end + 1 + size));
    start = end + size + 2;
  }
  return objects;
}
