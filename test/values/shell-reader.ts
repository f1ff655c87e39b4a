import { execFileSync } from "node:child_process";

/**
 * The values a POSIX shell has for `names` after it read `script` with every assignment
 * exported. Fails when the shell writes an error or a command in the script wrote anything.
 */
export function readByShell(script: string, names: readonly string[]): string[] {
  const report = names.map((name) => `printf '%s\\0' "$${name}"`).join("\n");
  const output = execFileSync("sh", ["-eu"], {
    input: `set -a\n${script}\nset +a\n${report}\n`,
    env: { PATH: process.env["PATH"] ?? "" },
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["pipe", "pipe", "inherit"],
  });
  return output.toString("utf8").split("\0").slice(0, -1);
}
