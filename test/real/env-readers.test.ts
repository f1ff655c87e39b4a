import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse as parseWithDotenv } from "dotenv";
import { describe, expect, it } from "vitest";
import { hasCode } from "../../src/errors.ts";
import { parseTemplate } from "../../src/resolve/template.ts";
import { textFormats, type TextFormatName } from "../../src/values/text-formats.ts";
import { nastyTexts } from "../resolve/template-samples.ts";
import { makeThrowAway } from "../support/throw-away.ts";
import { textEntries } from "../values/entry-samples.ts";

// What export writes, read back by the programs that it is written for. env-readers has the code of Docker and
// Docker Compose that reads such files: test/real/env-readers.

const folder = makeThrowAway("sealtree-env-readers-");
const texts = [...new Set(nastyTexts)].filter((text) => !text.includes("\0"));
const zeros = (size: number) => new Uint8Array(size);

/** A POSIX shell reads it otherwise, which the line above says. */
const shellNote = "# a POSIX shell reads the next value differently\n";

describe("what export writes", () => {
  it("is tried with more than 200 nasty values", () => {
    expect(texts.length).toBeGreaterThan(200);
  });

  it.each(["dotenv", "docker", "compose", "systemd", "shell"] as const)("in %s is most of them", (format) => {
    expect(fitting(format).length).toBeGreaterThan(texts.length * 0.6);
  });

  it("is read by Node's --env-file exactly", () => {
    const fit = fitting("dotenv");
    const print = "process.stdout.write(JSON.stringify(process.env))";
    const output = execFileSync(process.execPath, [`--env-file=${write("dotenv", fit)}`, "-e", print], {
      env: { PATH: process.env["PATH"] ?? "" },
      maxBuffer: 1 << 28,
    });
    expect(valuesOf(JSON.parse(output.toString("utf8")) as Record<string, string>, fit)).toEqual(fit);
  });

  it("is read by the library dotenv exactly", () => {
    const fit = fitting("dotenv");
    expect(valuesOf(parseWithDotenv(readFileSync(write("dotenv", fit))), fit)).toEqual(fit);
  });

  it.each(["bash", "dash"])("as .env is read by %s exactly, unless it says otherwise", (shell) => {
    const fit = fitting("dotenv").filter((text) => !print("dotenv", [text]).startsWith(shellNote));
    expect(fit.length).toBeGreaterThan(texts.length * 0.5);
    expect(readByShell(shell, `set -a\n. ${write("dotenv", fit)}\n`, fit)).toEqual(fit);
  });

  it.each(["bash", "dash"])("for a shell is read by %s exactly, all of it", (shell) => {
    expect(fitting("shell")).toEqual(texts);
    expect(readByShell(shell, readFileSync(write("shell", texts), "utf8"), texts)).toEqual(texts);
  });

  it.each(["docker", "compose"] as const)("is read by %s exactly", (format) => {
    const fit = fitting(format);
    const output = execFileSync("env-readers", [format, write(format, fit)], { maxBuffer: 1 << 28 });
    expect(valuesOf(JSON.parse(output.toString("utf8")) as Record<string, string>, fit)).toEqual(fit);
  });

  it("is read by systemd exactly", () => {
    // The way out of it, not the parser, takes 4 KiB at most.
    const fit = fitting("systemd").filter((text) => text.length < 4000);
    expect(readBySystemd(fit)).toEqual(fit);
  });
});

describe("what render makes of a .env template", () => {
  it("is read by Node's --env-file exactly", async () => {
    const fit = fitting("dotenv");
    const lines = fit.map((_, index) => `V${index}=\${secret:test/nasty/V${index}} # a comment\n`).join("");
    const template = await parseTemplate(lines, "dotenv", "sample");
    const path = join(folder, "rendered.env");
    writeFileSync(
      path,
      template.render(({ name }) => fit[Number(name.slice(1))] ?? ""),
    );
    const script = "process.stdout.write(JSON.stringify(process.env))";
    const output = execFileSync(process.execPath, [`--env-file=${path}`, "-e", script], {
      env: {},
      maxBuffer: 1 << 28,
    });
    expect(valuesOf(JSON.parse(output.toString("utf8")) as Record<string, string>, fit)).toEqual(fit);
  });
});

/** The texts that a format holds. */
function fitting(format: TextFormatName): string[] {
  return texts.filter((text) => {
    try {
      print(format, [text]);
      return true;
    } catch (error) {
      if (hasCode(error, "E_VALUE_UNFIT")) return false;
      throw error;
    }
  });
}

function print(format: TextFormatName, values: readonly string[]): string {
  return textFormats[format].print(textEntries(...values), zeros);
}

/** A file with the values under the names V0, V1 and so on. */
function write(format: TextFormatName, values: readonly string[]): string {
  const path = join(folder, `${format}.env`);
  writeFileSync(path, print(format, values));
  return path;
}

function valuesOf(read: Readonly<Record<string, string>>, values: readonly string[]): (string | undefined)[] {
  return values.map((_, index) => read[`V${index}`]);
}

function readByShell(shell: string, script: string, values: readonly string[]): string[] {
  const report = values.map((_, index) => `printf '%s\\0' "$V${index}"`).join("\n");
  const input = `set -eu\n${script}\n${report}\n`;
  const output = execFileSync(shell, [], {
    input,
    env: { PATH: process.env["PATH"] ?? "" },
    maxBuffer: 1 << 28,
    stdio: ["pipe", "pipe", "inherit"],
  });
  return output.toString("utf8").split("\0").slice(0, -1);
}

/**
 * The parser of `EnvironmentFile=` needs a running manager. `os-release` is read by the same one
 * (parse_env_file_internal in systemd's env-file.c, with its checks of UTF-8), and systemd-tmpfiles
 * puts four of its fields into files (tmpfiles.d(5), Specifiers), below any root and with nothing running.
 */
function readBySystemd(values: readonly string[]): string[] {
  const fields = { BUILD_ID: "B", ID: "o", VERSION_ID: "w", VARIANT_ID: "W" };
  const [names, letters] = [Object.keys(fields), Object.values(fields)];
  const root = join(folder, "root");
  mkdirSync(join(root, "etc"), { recursive: true });
  const lines = names.map((name, index) => `f+ /out/${name} 0600 - - - %${letters[index] ?? ""}\n`);
  writeFileSync(join(folder, "tmpfiles.conf"), lines.join(""));
  const read: string[] = [];
  for (let start = 0; start < values.length; start += names.length) {
    const some = values.slice(start, start + names.length);
    const text = print("systemd", some).replaceAll(
      /^V([0-3])=/gm,
      (_, index: string) => `${names[Number(index)] ?? ""}=`,
    );
    writeFileSync(join(root, "etc/os-release"), text);
    mkdirSync(join(root, "out"), { recursive: true });
    execFileSync("systemd-tmpfiles", [`--root=${root}`, "--create", join(folder, "tmpfiles.conf")], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    read.push(...some.map((_, index) => readFileSync(join(root, "out", names[index] ?? ""), "utf8")));
  }
  return read;
}
