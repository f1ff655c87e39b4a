import { execFileSync } from "node:child_process";
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { interleave, timeOf } from "./measure.js";
import { makeRepository } from "./repository.js";
import { writeHistory } from "./exposure.js";

/**
 * Rows of `verify` in a history of `commits` commits that one member signed, cold and from its
 * memory, each against `git log --raw` of the same files, which checks nothing.
 */
export function benchVerify({ rounds, commits, scopes }) {
  const repository = makeRepository("pq");
  try {
    const signer = makeSigner();
    const root = admitSigner(repository, signer);
    writeHistory(repository, { commits, scopes });
    signHistory(repository, signer, root);
    const cold = `verify ${commits} signed commits`;
    const warm = `verify them again`;
    const args = ["verify", "--root", root, "--json"];
    let peakBytes = 0;
    const times = interleave(
      {
        base: () => timeOf(() => repository.git("log", "--raw", "--no-abbrev", "HEAD", "--", "secrets")),
        [cold]: () => {
          rmSync(join(repository.cwd, ".git", "sealtree"), { recursive: true, force: true });
          const run = repository.sealtree(args, { measuresMemory: true });
          checkAccepted(run, commits);
          peakBytes = Math.max(peakBytes, run.peakBytes);
          return run.timeMs;
        },
        [warm]: () => repository.sealtree(args).timeMs,
      },
      rounds,
    );
    const baseMs = times.get("base").medianMs;
    return [
      { what: "git log --raw", ...times.get("base"), baseMs },
      { what: cold, ...times.get(cold), peakBytes, baseMs },
      { what: warm, ...times.get(warm), baseMs },
    ];
  } finally {
    repository.remove();
  }
}

function checkAccepted({ stdout }, commits) {
  const verdict = JSON.parse(stdout.toString());
  if (!verdict.accepted || verdict.commits !== commits || verdict.findings.length > 0)
    throw new Error(`verify did not accept: ${JSON.stringify(verdict.findings[0])}`);
}

/** A test key as SSH has it. */
function makeSigner() {
  const seed = createHash("sha256").update("sealtree bench key").digest();
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const point = Buffer.from(createPublicKey(key).export({ format: "jwk" }).x, "base64url");
  return { key, blob: printStrings("ssh-ed25519", point) };
}

/** Asks for signatures in the policy, adds the key to its one member, and gives the commit. */
function admitSigner({ cwd, env, git }, { blob }) {
  const policy = join(cwd, "policies", "access.yaml");
  const text = readFileSync(policy, "utf8");
  writeFileSync(policy, text.replace("version: 1", "version: 2").replace("signing: off", "signing: require"));
  const member = /^members:\n {2}([a-z-]+):/m.exec(text)[1];
  appendFileSync(
    join(cwd, "policies", "members", `${member}.pub`),
    `# signing-key ssh-ed25519 ${blob.toString("base64")}\n`,
  );
  git("commit", "--quiet", "--all", "--message", "policies: ask for signatures");
  return execFileSync("git", ["rev-parse", "HEAD"], { cwd, env, encoding: "utf8" }).trim();
}

/** Makes each commit after `root` again with a signature; the branch then names the last. */
function signHistory({ cwd, env, git }, signer, root) {
  const ask = (args, input) => execFileSync("git", args, { cwd, env, input, encoding: "utf8", maxBuffer: 1 << 30 });
  const list = ask(["rev-list", "--reverse", `${root}..HEAD`]);
  const trees = ask(["log", "--reverse", "--format=%T", `${root}..HEAD`])
    .trim()
    .split("\n");
  const folder = join(cwd, "..", "commits");
  mkdirSync(folder);
  let parent = root;
  const files = list
    .trim()
    .split("\n")
    .map((_id, index) => {
      const who = `Ada Bench <ada@example.test> ${1_700_000_000 + index} +0000`;
      const head = `tree ${trees[index]}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n`;
      const unsigned = `${head}\ntest\n`;
      const signed = `${head}gpgsig ${armor(signer, unsigned).replaceAll("\n", "\n ")}\n\ntest\n`;
      parent = createHash("sha1").update(`commit ${signed.length}\0${signed}`).digest("hex");
      const file = join(folder, `${index}`);
      writeFileSync(file, signed);
      return file;
    });
  ask(["hash-object", "-t", "commit", "-w", "--stdin-paths"], `${files.join("\n")}\n`);
  git("reset", "--quiet", "--hard", parent);
  git("gc", "--quiet", "--prune=now");
}

/** PROTOCOL.sshsig of OpenSSH. */
function armor({ key, blob }, message) {
  const digest = createHash("sha512").update(message).digest();
  const signed = Buffer.concat([Buffer.from("SSHSIG"), printStrings("git", "", "sha512", digest)]);
  const signature = printStrings("ssh-ed25519", sign(null, signed, key));
  const whole = Buffer.concat([
    Buffer.from("SSHSIG\0\0\0\u0001", "latin1"),
    printStrings(blob, "git", "", "sha512", signature),
  ]);
  const lines = whole.toString("base64").match(/.{1,70}/g);
  return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----"].join("\n");
}

function printStrings(...parts) {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, Buffer.from(part)];
    }),
  );
}
