import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { builtBin } from "../support/build.ts";
import { createRepository } from "../support/repository.ts";

const readme = readFileSync(fileURLToPath(new URL("../../README.md", import.meta.url)), "utf8");

/** The lines of all console blocks, as a command and what it prints. */
const session = [...readme.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [command = "", ...output] = text.trimEnd().split("\n");
      return { command, output: output.join("\n") };
    }),
);

describe("the tour of the README", () => {
  it("prints what it says it prints", async () => {
    const repository = createRepository();
    repository.write("../stripe-key", "sk_demo_51");
    repository.write("../new-key", "sk_demo_52");
    repository.write("../bin/sealtree", `#!/bin/sh\nexec '${process.execPath}' '${builtBin}' "$@"\n`);
    const { stdout } = await repository.ok(["keygen", "-o", join(repository.home, "bob.key")]);
    repository.write("../bob.pub", stdout);
    const bin = join(repository.root, "../bin");
    expect(spawnSync("chmod", ["+x", join(bin, "sealtree")]).status).toBe(0);
    const env = { ...repository.env, PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` };

    expect(session.length).toBeGreaterThan(10);
    const printed = session.map(({ command }) => {
      const { stdout: output } = spawnSync("sh", ["-c", `exec 2>&1; ${command}`], { cwd: repository.root, env });
      return { command, output: output.toString().trimEnd().replaceAll(repository.home, "/home/alice") };
    });
    expect(printed.map(withoutIds)).toEqual(session.map(withoutIds));
  });
});

/** Ids differ each time. */
function withoutIds({ command, output }: { command: string; output: string }) {
  return { command, output: output.replaceAll(/\b[0-9a-f]{8,}\b/g, "<id>") };
}
