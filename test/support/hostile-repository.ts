import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createRepository, type TestRepository } from "./repository.ts";
import { ed25519Signer } from "./ssh-signers.ts";

export interface HostileRepository extends TestRepository {
  /** A folder outside of the repository that links in it lead to, with {@link outsideText} in its files. */
  readonly outside: string;
  /** Whatever program of the repository runs writes this file. */
  readonly canary: string;
  /** Closes what cannot be left to the end of the process. */
  close(): void;
}

export const outsideText = "test-text-from-outside";

/** Names that a terminal, a runner or a parser could take for something else. */
const oddNames = [
  "two\nlines.yaml",
  "::set-output name=x::y.yaml",
  "##[set-output name=x;]y.yaml",
  "##vso[task.setvariable variable=x]y.yaml",
  "clear\u001b[2J\u001b]52;c;dGVzdA==\u0007.yaml",
  "bidi\u202egnp.yaml",
  "c1\u009b31m.yaml",
  "percent%0A::error::x.yaml",
  "-rf.yaml",
  "spa ce.yaml",
] as const;

/** Text for names of people, subjects and reasons: escapes, commands of runners, signs that turn the direction. */
const oddText = "\u001b]0;title\u0007 ::error::x ##[error]y ##vso[x]z \u202eabc \u009b31m";
/** Names that git takes for refs, and that a program may take for options or print raw. */
const oddRefs = [
  "heads/--output=CANARY",
  "heads/-n",
  "heads/--help",
  "heads/bidi-\u202egnp",
  "heads/c1-\u009b31m",
  "tags/--upload-pack=touch",
  "tags/-",
  "remotes/origin/--exec=touch",
];

/**
 * A repository whose files are in order and whose history, refs and settings are not: names of
 * people, subjects, reasons and refs that a terminal, a runner or git itself could take for
 * something else, attributes with programs, and {@link HostileRepository.canary} traps.
 */
export async function createHostileHistory(): Promise<HostileRepository> {
  const repository = createRepository();
  const { root, home } = repository;
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  const odd = { env: { GIT_AUTHOR_NAME: oddText, GIT_COMMITTER_NAME: oddText } };
  for (const value of ["test-value-first", "test-value-second"])
    await repository.ok(["set", "dev/app/API_KEY", "--stdin", "--reason", oddText], { stdin: value, ...odd });
  const attributes = "\n* filter=evil diff=evil merge=evil\nsecrets/** diff=evil\n";
  repository.write(".gitattributes", repository.read(".gitattributes") + attributes);
  for (const name of oddNames) repository.write(`docs/${name}`, "text\n");
  repository.git("add", "-A");
  const commit = ["commit", "--quiet", "-m", `${oddText}\n\n::set-output name=x::y\n##[error]test`];
  repository.git("-c", `user.name=${oddText}`, ...commit, "--author", "::error::x <::error@example.test>");
  signHead(repository);
  const [outside, canary] = [join(home, "outside"), join(home, "canary")];
  mkdirSync(outside);
  for (const ref of oddRefs)
    repository.git("update-ref", `refs/${ref.replace("CANARY", canary.replaceAll("/", "_"))}`, "HEAD");
  setTraps(repository, canary);
  return { ...repository, outside, canary, root, close: () => {} };
}

/**
 * A repository with everything in it that somebody could put there to harm who checks it. The
 * work tree has what git cannot hold too: a pipe, a socket, 5 GiB, folders without end.
 */
export async function createHostileRepository(): Promise<HostileRepository> {
  const repository = createRepository();
  const { root, home } = repository;
  const git = (...args: string[]) => repository.git(...args);
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-value" });
  const [outside, canary] = [join(home, "outside"), join(home, "canary")];
  mkdirSync(outside);
  for (const name of ["a.yaml", "b.pub"]) writeFileSync(join(outside, name), outsideText);
  const below = (...names: string[]) => join(root, "secrets", "dev", ...names);
  symlinkSync("/etc/passwd", below("passwd.yaml"));
  symlinkSync(join(outside, "a.yaml"), below("link.yaml"));
  symlinkSync(outside, below("folder"));
  symlinkSync(outside, below("web.keys"));
  symlinkSync(join(outside, "b.pub"), join(root, "policies/members/mallory.pub"));
  symlinkSync(join(outside, "a.yaml"), join(root, "policies/rotation-link.yaml"));
  for (const name of oddNames) writeFileSync(below(name), "plain text\n");
  writeFileSync(Buffer.concat([Buffer.from(`${below("bytes")}`), Buffer.from([0xff, 0xfe])]), "plain text\n");
  writeFileSync(below("program.yaml"), "#!/bin/sh\n");
  chmodSync(below("program.yaml"), 0o777);
  git("add", "-A");
  // Later, since git would take them to heart.
  writeFileSync(
    join(root, ".gitattributes"),
    "[attr]evil filter=evil diff=evil merge=evil ident\n* evil\nsecrets/** working-tree-encoding=UTF-16\n",
  );
  const modules = '[submodule "x"]\n\tpath = secrets/dev/module\n\turl = ext::sh -c touch% canary\n';
  writeFileSync(join(root, ".gitmodules"), modules);
  git("add", ".gitattributes", ".gitmodules");
  git("update-index", "--add", "--cacheinfo", `160000,${git("rev-parse", "HEAD").trim()},secrets/dev/module`);
  git("commit", "--quiet", "-m", "hostile \u001b[2J");
  setTraps(repository, canary);
  execFileSync("mkfifo", [below("pipe.yaml")]);
  const socket = createServer().listen(below("socket.yaml"));
  writeFileSync(below("large.yaml"), "");
  truncateSync(below("large.yaml"), 5 * 2 ** 30);
  mkdirSync(below(...Array.from({ length: 60 }, () => "deep")), { recursive: true });
  await new Promise((resolve) => socket.once("listening", resolve));
  return { ...repository, outside, canary, close: () => socket.close() };
}

/** Makes the last commit again with a signature, which git checks by a program when its settings say so. */
function signHead(repository: TestRepository): void {
  const git = (...args: string[]) => repository.git(...args);
  const signature = ed25519Signer("mallory").sign(Buffer.from("test")).trimEnd().replaceAll("\n", "\n ");
  const file = join(repository.home, "signed");
  writeFileSync(file, git("cat-file", "commit", "HEAD").replace("\n\n", `\ngpgsig ${signature}\n\n`));
  git("update-ref", "HEAD", git("hash-object", "-t", "commit", "-w", file).trim());
}

const programKeys = [
  "core.pager",
  "core.editor",
  "core.sshCommand",
  "core.askPass",
  "core.alternateRefsCommand",
  "core.gitProxy",
  "sequence.editor",
  "diff.external",
  "diff.evil.textconv",
  "diff.evil.command",
  "filter.evil.clean",
  "filter.evil.smudge",
  "filter.evil.process",
  "merge.evil.driver",
  "pager.ls-tree",
  "pager.cat-file",
  "pager.log",
  "pager.diff",
  "pager.config",
  "interactive.diffFilter",
  "browser.evil.cmd",
  "trailer.reason.command",
  "uploadpack.packObjectsHook",
  "gpg.program",
  "gpg.ssh.program",
  "gpg.ssh.defaultKeyCommand",
];
const hooks =
  "post-checkout pre-commit prepare-commit-msg commit-msg post-commit post-merge post-rewrite post-index-change reference-transaction fsmonitor-watchman pre-auto-gc pre-push".split(
    " ",
  );

/** Programs in every place where git's settings may name one. Each writes its key into the canary. */
function setTraps(repository: TestRepository, canary: string): void {
  const traps = join(repository.home, "traps");
  mkdirSync(traps);
  // A file, since git runs some of them by a shell and some not.
  const trap = (key: string, end = "cat") => {
    const file = join(traps, key.replaceAll(" ", "-"));
    writeFileSync(file, `#!/bin/sh\necho '${key}' >>'${canary}'\n${end}\n`, { mode: 0o755 });
    return file;
  };
  for (const key of programKeys) repository.git("config", key, trap(key));
  for (const [key, value] of Object.entries({
    "core.fsmonitor": trap("core.fsmonitor", "false"),
    "core.hooksPath": ".hooks",
    "gpg.format": "ssh",
    "gpg.ssh.allowedSignersFile": "/dev/null",
    "log.showSignature": "true",
    "core.untrackedCache": "true",
    "filter.evil.required": "true",
    "diff.submodule": "log",
    "status.submoduleSummary": "true",
    "diff.trustExitCode": "true",
    "alias.ls-tree": `!${trap("alias")}`,
    "alias.log": `!${trap("alias")}`,
    "credential.helper": `!${trap("credential.helper")}`,
  }))
    repository.git("config", key, value);
  for (const folder of [".hooks", ".git/hooks"]) {
    mkdirSync(join(repository.root, folder), { recursive: true });
    for (const hook of hooks) copyFileSync(trap(`hook ${hook}`), join(repository.root, folder, hook));
  }
}
