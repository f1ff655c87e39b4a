import { execFileSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSealedRepository } from "../../support/repository.ts";
import { makeThrowAway } from "../../support/throw-away.ts";
import { readScopeBytes } from "./flat-values.ts";

const programs = fileURLToPath(new URL("../../../node_modules/.bin", import.meta.url));

function dotenvx(folder: string, args: readonly string[]): string {
  return execFileSync("dotenvx", args, {
    cwd: folder,
    env: { PATH: `${programs}${delimiter}${process.env["PATH"] ?? ""}`, HOME: folder },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function valuesOf(folder: string, file: string): Record<string, string> {
  const all = JSON.parse(dotenvx(folder, ["get", "-f", file, "--format=json"])) as Record<string, string>;
  return Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith("DOTENV_PUBLIC_KEY")));
}

async function importedFrom(file: string, ...args: readonly string[]) {
  const repository = await createSealedRepository();
  await repository.ok(["import", "dev/app", file, "--from", "dotenvx", "--yes", ...args]);
  const read = await readScopeBytes(repository, "dev/app");
  return Object.fromEntries([...read].map(([name, bytes]) => [name, bytes.toString("utf8")]));
}

test("generated values that dotenvx sealed are imported as dotenvx gives them", async () => {
  const folder = makeThrowAway("sealtree-dotenvx-");
  const text = fc.string({ unit: "binary", maxLength: 40 }).filter((it) => !/['\p{Cc}\p{Surrogate}\ufeff]/u.test(it));
  const lines = fc.sample(text, { seed: 20_260_102, numRuns: 40 }).map((it, index) => `V${index}='${it}'`);
  writeFileSync(join(folder, ".env"), `${lines.join("\n")}\n`);
  dotenvx(folder, ["encrypt"]);
  expect(readFileSync(join(folder, ".env"), "utf8").match(/encrypted:/g)?.length).toBe(40);
  expect(await importedFrom(join(folder, ".env"))).toEqual(valuesOf(folder, ".env"));
});

test("quotes, escapes, names above, export and what is not sealed yet read alike", async () => {
  const folder = makeThrowAway("sealtree-dotenvx-");
  const text = [
    "# about PLAIN\nPLAIN=hello world\nSINGLE='pa$word ${PLAIN} $(echo hi)'\nDOUBLE=\"to ${PLAIN} and $PLAIN\"",
    'ESCAPED="pa\\$word"\nTABS="a\\nb\\tc"\nBACK=`it\'s "quoted"`\nMULTI="line1\nline2"\nEMPTY=\nexport EXPORTED=e # behind\n',
  ].join("\n");
  writeFileSync(join(folder, ".env.production"), text);
  dotenvx(folder, ["encrypt", "-f", ".env.production"]);
  writeFileSync(
    join(folder, ".env.production"),
    `${readFileSync(join(folder, ".env.production"), "utf8")}OPEN="not\\tsealed"\n`,
  );
  const values = valuesOf(folder, ".env.production");
  expect(values).toMatchObject({ DOUBLE: "to hello world and hello world", ESCAPED: "pa$word", TABS: "a\nb\tc" });
  expect(await importedFrom(join(folder, ".env.production"))).toEqual(values);
  const repository = await createSealedRepository();
  await repository.ok(["import", "dev/app", join(folder, ".env.production"), "--from", "dotenvx", "--yes"]);
  const printed = dotenvx(folder, ["get", "-f", ".env.production", "--format=json"]);
  const check = ["import", "dev/app", "--from", "json", "--dry-run", "--json"];
  expect((await repository.ok(check, { stdin: printed })).json()).toMatchObject({
    added: ["DOTENV_PUBLIC_KEY_PRODUCTION"],
    changed: [],
  });
  const { stdout } = await repository.ok([
    "export",
    "dev/app",
    "--format",
    "dotenv",
    "--only",
    "PLAIN,SINGLE,MULTI",
    "--yes",
  ]);
  writeFileSync(join(folder, ".env.left"), stdout);
  dotenvx(folder, ["encrypt", "-f", ".env.left"]);
  expect(valuesOf(folder, ".env.left")).toEqual({
    PLAIN: values["PLAIN"],
    SINGLE: values["SINGLE"],
    MULTI: values["MULTI"],
  });
});

test("a value that would run a command is refused, and nothing is run", async () => {
  const folder = makeThrowAway("sealtree-dotenvx-");
  writeFileSync(join(folder, ".env"), 'RUNS="$(touch ran)"\nASKS="$HOME_OF_NOBODY"\nFINE=1\n');
  dotenvx(folder, ["encrypt"]);
  const repository = await createSealedRepository();
  const refused = await repository.run(["import", "dev/app", join(folder, ".env"), "--from", "dotenvx", "--yes"]);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/RUNS: .*\n.*ASKS: /) });
  expect(await importedFrom(join(folder, ".env"), "--as-written")).toEqual({
    RUNS: "$(touch ran)",
    ASKS: "$HOME_OF_NOBODY",
    FINE: "1",
  });
});
