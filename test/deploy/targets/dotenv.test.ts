import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dotenvTarget, type FileOptions } from "../../../src/deploy/targets/dotenv.ts";
import { fileFormats, printFile, readFile, type FileFormat } from "../../../src/deploy/targets/environment-file.ts";
import { parseSecretName } from "../../../src/secret/address.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { providerAccess } from "../../support/provider-access.ts";
import {
  describesTarget,
  inspectByName,
  itemOf,
  recordProgress,
  targetFailure,
  writeAll,
} from "../../support/target-contract.ts";
import { makeThrowAway } from "../../support/throw-away.ts";

function createPlace(format: FileFormat, file = "out/values.env") {
  const folder = makeThrowAway("sealtree-dotenv-");
  const options: FileOptions = { file, format };
  const path = join(folder, file);
  const open = () =>
    dotenvTarget.open(options, {
      ...providerAccess({}),
      directory: folder,
      environment: { PATH: process.env["PATH"] },
    });
  return { folder, path, options, open };
}

describe.each(fileFormats)("a file of the format %s", (format) => {
  describesTarget(() => {
    const { path, options, open } = createPlace(format);
    const entries = () => {
      const content = existsSync(path) ? readFile(format, readFileSync(path, "utf8")) : undefined;
      return content?.kind === "ours" ? content.entries : [];
    };
    return Promise.resolve({
      facts: dotenvTarget.facts(options),
      open,
      putForeign(name, text) {
        const more = { name: parseSecretName(name), value: Secret.text(text), mark: undefined };
        mkdirSync(join(path, ".."), { recursive: true });
        writeFileSync(
          path,
          printFile(format, [...entries(), more], (size) => new Uint8Array(size)),
        );
        return Promise.resolve();
      },
      peek: () =>
        Promise.resolve(Object.fromEntries(entries().map(({ name, value }) => [name, value.revealText() ?? ""]))),
    });
  });

  it("is read back as it was written, whatever the values are", () => {
    const rule = dotenvTarget.facts({ file: "x", format }).valueRule;
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.string({ unit: fc.constantFrom("'", '"', "\\", "$", "`", "\n", "#", "=", " ", "a", "\r"), maxLength: 8 }),
      fc.constant("x\n# FAKE = prod/api/FAKE 0123456789abcdef\nFAKE=1"),
    );
    const values = fc.array(
      text.filter((it) => rule?.accepts(Secret.text(it)) !== false),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(values, (texts) => {
        const entries = texts.map((it, index) => {
          const name = parseSecretName(`KEY_${index}`);
          const mark = { address: `prod/api/${name}`, fingerprint: "0123456789abcdef" };
          return { name, value: Secret.text(it), mark: index === 1 || format === "json" ? undefined : mark };
        });
        const content = readFile(
          format,
          printFile(format, entries, (size) => new Uint8Array(size)),
        );
        expect(content.kind === "ours" && content.entries.map(({ value }) => value.revealText())).toEqual(texts);
        expect(content.kind === "ours" && content.entries.map(({ mark }) => mark)).toEqual(
          entries.map(({ mark }) => mark),
        );
      }),
      { numRuns: 100 },
    );
  });
});

describe("the target dotenv", () => {
  it("writes for the owner's eyes only, also over a file that others may read", async () => {
    const { path, open } = createPlace("dotenv");
    const target = await open();
    await writeAll(target, { ALPHA: "one" });
    chmodSync(path, 0o644);
    await writeAll(target, { ALPHA: "two" });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("reports every name of a file that it did not write, and replaces it only when told to", async () => {
    const { folder, path, open } = createPlace("dotenv", "values.env");
    writeFileSync(path, "OTHER=1\nALPHA=theirs\n");
    const target = await open();
    expect(await target.inspect(["ALPHA", "BETA"])).toEqual([{ name: "ALPHA" }, { name: "BETA" }]);
    await writeAll(target, { ALPHA: "ours" });
    expect(readFileSync(join(folder, "values.env"), "utf8")).not.toContain("OTHER");
  });

  it("says rejected of a file of its own that was changed into something else, and leaves it", async () => {
    const { path, open } = createPlace("docker");
    const target = await open();
    await writeAll(target, { ALPHA: "one" });
    writeFileSync(path, `${readFileSync(path, "utf8")}no assignment\n`);
    const before = readFileSync(path, "utf8");
    expect((await targetFailure(target.inspect(["ALPHA"]))).class).toBe("rejected");
    const change = { writes: [itemOf("ALPHA", "two")], removes: [], wanted: [itemOf("ALPHA", "two")] };
    expect((await targetFailure(target.apply(change, recordProgress()))).class).toBe("rejected");
    expect(readFileSync(path, "utf8")).toBe(before);
  });

  it("refuses a file that git has or would take, and names the way out", async () => {
    const { folder, open } = createPlace("dotenv", "values.env");
    execFileSync("git", ["init", "--quiet"], { cwd: folder });
    const target = await open();
    const failure = await targetFailure(target.inspect(["ALPHA"]));
    expect(failure.class).toBe("rejected");
    expect(failure.hints.join()).toContain(".gitignore");
    writeFileSync(join(folder, ".gitignore"), "values.env\n");
    expect(await target.inspect(["ALPHA"])).toEqual([]);
  });

  it("does not follow a symbolic link that stands in its place", async () => {
    const { folder, path, open } = createPlace("dotenv", "values.env");
    writeFileSync(join(folder, "elsewhere"), "precious");
    symlinkSync(join(folder, "elsewhere"), path);
    const target = await open();
    expect((await targetFailure(target.inspect(["ALPHA"]))).class).toBe("rejected");
    expect(readFileSync(join(folder, "elsewhere"), "utf8")).toBe("precious");
  });

  it("removes the file when nothing is left in it", async () => {
    const { path, open } = createPlace("yaml");
    const target = await open();
    await writeAll(target, { ALPHA: "one" });
    const found = await inspectByName(target, ["ALPHA"]);
    await target.apply({ writes: [], removes: [...found.values()], wanted: [] }, recordProgress());
    expect(existsSync(path)).toBe(false);
  });

  it.each(["../x", "a/../../x", "secrets/x.env", ".git/x", "policies/x", "x/", "a\\b", "./secrets/x"])(
    "does not take the path %s",
    (file) => {
      expect(dotenvTarget.options.safeParse({ file }).success).toBe(false);
    },
  );
});
