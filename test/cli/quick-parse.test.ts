import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { CommandModule, ParsedLine } from "../../src/cli/command.ts";
import { commonOptionsOf } from "../../src/cli/command.ts";
import { parseLine } from "../../src/cli/parse-line.ts";
import { type CommandEntry, commands } from "../../src/cli/program.ts";
import { quickParse } from "../../src/cli/quick-parse.ts";
import { processIo } from "../../src/cli/io.ts";

const loaded: { name: string; entry: CommandEntry; module: CommandModule }[] = [];
beforeAll(async () => {
  for (const [name, entry] of Object.entries(commands)) loaded.push({ name, entry, module: await entry.load() });
});

const io = { ...processIo(), stdout: { write: () => true }, stderr: { write: () => true } };

function slowParse(index: number, words: readonly string[]): ParsedLine | "refused" {
  const { name, entry, module } = loaded[index % loaded.length] ?? never();
  try {
    return parseLine(name, entry, module, words, io) ?? "refused";
  } catch {
    return "refused";
  }
}

function never(): never {
  throw new Error("no command");
}

function vocabulary(module: CommandModule): string[] {
  const flags = [...module.options, ...commonOptionsOf(module.kind)].flatMap(({ flags: text }) =>
    text.replace(/ <.*/, "").split(", "),
  );
  return [
    ...flags,
    ...flags.map((flag) => `${flag}=value`),
    "prod/api/KEY",
    "prod/api",
    "-",
    "--",
    "",
    "--help",
    "-h",
    "--unknown",
    "-yx",
    "value",
    "-1",
  ];
}

describe("quickParse", () => {
  it("gives what commander gives, or leaves the line to it", () => {
    let understood = 0;
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.nat(), { maxLength: 6 }), (index, picks) => {
        const { module } = loaded[index % loaded.length] ?? never();
        const words = picks.map((pick) => vocabulary(module)[pick % vocabulary(module).length] ?? "");
        const quick = quickParse(module, words);
        if (quick === undefined) return;
        understood += 1;
        expect(quick).toEqual(slowParse(index, words));
      }),
      { numRuns: 4000 },
    );
    expect(understood).toBeGreaterThan(100);
  });

  it("understands the plain examples of every command without options that take several words", () => {
    const simple = loaded.filter(({ module }) => module.options.every(({ flags }) => !flags.includes("...")));
    const plain = simple.flatMap(({ name, module }) =>
      module.examples
        .filter(({ command }) => /^sealtree [\w ./@:=,-]+$/.test(command) && command.startsWith(`sealtree ${name} `))
        .map(({ command }) => ({ module, words: command.split(" ").slice(1 + name.split(" ").length) })),
    );
    expect(plain.length).toBeGreaterThan(5);
    expect(
      plain.filter(({ module, words }) => quickParse(module, words) === undefined).map(({ words }) => words.join(" ")),
    ).toEqual([]);
  });
});
