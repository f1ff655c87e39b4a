import { cpSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { builtBin } from "../../../support/build.ts";
import { makeThrowAway } from "../../../support/throw-away.ts";

/** A copy of the built command, which a build in the middle of thousands of runs does not touch. Gives its file. */
export function keepBuild(): string {
  const base = makeThrowAway("sealtree-built-");
  const root = dirname(dirname(builtBin));
  cpSync(dirname(builtBin), join(base, "dist"), { recursive: true });
  cpSync(join(root, "package.json"), join(base, "package.json"));
  symlinkSync(join(root, "node_modules"), join(base, "node_modules"));
  return join(base, "dist", "bin.js");
}
