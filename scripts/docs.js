// Writes docs/commands.md with the built command.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const page = fileURLToPath(new URL("../docs/commands.md", import.meta.url));
const bin = fileURLToPath(new URL("../dist/bin.js", import.meta.url));

writeFileSync(page, execFileSync(process.execPath, [bin, "__docs"]));
