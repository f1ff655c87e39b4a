import { existsSync } from "node:fs";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";

// Runs before every file of test/real: the programs of `npm run setup:real` come first in PATH.
// Without them the tests fail; they never skip.
const bin = fileURLToPath(new URL("../../.tools/bin", import.meta.url));

if (!existsSync(bin)) throw new Error("the real programs are not there; run npm run setup:real");
process.env["PATH"] = `${bin}${delimiter}${process.env["PATH"] ?? ""}`;
