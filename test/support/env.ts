import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { makeThrowAway, removeThrowAways } from "./throw-away.ts";

// Runs before every test file: nothing of the person or the machine that runs the tests reaches
// them. Home is an empty folder of the file's own, and git finds no settings but what a test writes.
const personal =
  /^(?:SEALTREE_|GIT_|XDG_|GITHUB_|SSH_|LC_|LANG$|EDITOR$|VISUAL$|CI$|DEBUG$|NO_COLOR$|FORCE_COLOR$|PAGER$|BROWSER$)/;

for (const name of Object.keys(process.env)) if (personal.test(name)) delete process.env[name];

const home = makeThrowAway("sealtree-home-");
afterAll(removeThrowAways);

Object.assign(process.env, {
  HOME: home,
  TZ: "UTC",
  LC_ALL: "C.UTF-8",
  GIT_CONFIG_GLOBAL: join(home, ".gitconfig"),
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_CEILING_DIRECTORIES: tmpdir(),
});
