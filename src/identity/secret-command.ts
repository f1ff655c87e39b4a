import { execFile } from "node:child_process";
import type { Environment } from "../git/place.ts";
import { withoutIdentities } from "./clean-environment.ts";

const maxOutputBytes = 1024 * 1024;

/**
 * What a shell command of the user prints; undefined when it fails or prints more than 1 MiB.
 * It gets no input and no identity, and `more` in its environment. What it says on stderr is
 * dropped: it could hold a part of the secret.
 */
export async function runSecretCommand(
  command: string,
  env: Environment,
  more: Environment = {},
): Promise<string | undefined> {
  const shell = process.platform === "win32" ? ["cmd.exe", "/d", "/s", "/c"] : ["/bin/sh", "-c"];
  const [program = "", ...flags] = shell;
  return await new Promise((resolve) => {
    const child = execFile(
      program,
      [...flags, command],
      { env: { ...withoutIdentities(env), ...more }, maxBuffer: maxOutputBytes },
      (error, output) => resolve(error === null ? output : undefined),
    );
    child.stdin?.end();
  });
}
