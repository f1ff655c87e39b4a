import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createRepository, type TestRepository } from "./repository.ts";

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

/** Programs in every place where git's settings may name one. */
function setTraps(repository: TestRepository, canary: string): void {
  const trap = `touch '${canary}'; cat`;
  for (const [key, value] of Object.entries({
    "core.fsmonitor": `touch '${canary}'; false`,
    "core.hooksPath": ".hooks",
    "core.pager": trap,
    "core.editor": trap,
    "core.sshCommand": trap,
    "core.askPass": trap,
    "diff.external": trap,
    "diff.evil.textconv": trap,
    "diff.evil.command": trap,
    "filter.evil.clean": trap,
    "filter.evil.smudge": trap,
    "filter.evil.process": trap,
    "merge.evil.driver": trap,
    "pager.ls-tree": trap,
    "pager.cat-file": trap,
    "gpg.program": trap,
    "alias.ls-tree": `!${trap}`,
    "credential.helper": `!${trap}`,
  }))
    repository.git("config", key, value);
  const hooks = "post-checkout pre-commit post-index-change reference-transaction fsmonitor-watchman pre-auto-gc".split(
    " ",
  );
  for (const folder of [".hooks", ".git/hooks"]) {
    mkdirSync(join(repository.root, folder), { recursive: true });
    for (const hook of hooks)
      writeFileSync(join(repository.root, folder, hook), `#!/bin/sh\n${trap}\n`, { mode: 0o755 });
  }
}
