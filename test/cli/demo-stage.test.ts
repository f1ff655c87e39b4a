import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { showsValue } from "../../src/cli/demo-figures.ts";
import { inventServices, printDotenv } from "../../src/cli/demo-input.ts";
import { createStage, withStageFolder, type Stage } from "../../src/cli/demo-stage.ts";
import type { Io } from "../../src/cli/io.ts";
import { parse } from "dotenv";

describe("a stage", () => {
  it("remembers a claim that does not hold, and shows neither side of it", async () => {
    await onStage((stage, lines) => {
      stage.claim("they are the same", "test-value-1", "test-value-2");
      stage.claim("these are", [1, { a: 2 }], [1, { a: 2 }]);
      expect({ claims: stage.claims, failures: stage.failures }).toEqual({
        claims: 2,
        failures: ["they are the same"],
      });
      expect(lines.join("\n")).toBe("  FAILED  they are the same\n  ok  these are");
      return Promise.resolve();
    });
  });

  it("stops where a command does not end as it must", async () => {
    await onStage(async (stage) => {
      await expect(stage.sealtree(stage.alice, ["list"])).rejects.toMatchObject({ code: "E_DEMO_FAILED", exitCode: 1 });
      expect((await stage.sealtree(stage.alice, ["list"], { exit: 4 })).code).toBe(4);
    });
  });

  it("gives its actors nothing of the user's own but where programs are", async () => {
    await onStage((stage) => {
      for (const { env, home } of [stage.alice, stage.bob, stage.carol]) {
        expect(env).toMatchObject({ HOME: home, PATH: process.env["PATH"] });
        expect(Object.keys(env).filter((name) => name.startsWith("SEALTREE_"))).toEqual([]);
      }
      return Promise.resolve();
    });
  });

  it("is in a folder that is removed, also after a failure", async () => {
    let folder = "";
    const work = withStageFolder((base) => {
      folder = base;
      mkdirSync(join(base, "a"));
      writeFileSync(join(base, "a", "file"), "");
      return Promise.reject(new Error("a failure of the test"));
    });
    await expect(work).rejects.toThrow("a failure of the test");
    expect(existsSync(folder)).toBe(false);
  });
});

describe("the invented services", () => {
  const services = inventServices((size) => randomBytes(size));

  it("are twenty, with ten values each and no two values alike", () => {
    const values = services.flatMap((service) => [...service.values.values()]);
    expect([services.length, values.length, new Set(values).size]).toEqual([20, 200, 200]);
  });

  it("are in their dotenv files as they are", () => {
    for (const service of services) expect(parse(printDotenv(service))).toEqual(Object.fromEntries(service.values));
  });
});

describe("showsValue", () => {
  it("finds a value, and one line of a longer one", () => {
    const values = ["test-value-1", "-----BEGIN TEST-----\ntest-line-1\ntest-line-2\n-----END TEST-----\n"];
    expect(showsValue("a test-value-1 b", values)).toBe(true);
    expect(showsValue("a test-line-2", values)).toBe(true);
    expect(showsValue("-----BEGIN TEST-----", values)).toBe(false);
  });
});

async function onStage(work: (stage: Stage, lines: string[]) => Promise<void>): Promise<void> {
  const lines: string[] = [];
  const sink = { write: () => true };
  const io: Io = {
    env: { PATH: process.env["PATH"], SEALTREE_IDENTITY: "test", HOME: "/nowhere" },
    cwd: "/",
    stdin: Readable.from([]),
    stdout: sink,
    stderr: sink,
    self: [process.execPath, "sealtree"],
    now: () => new Date(),
    random: (size) => randomBytes(size),
  };
  await withStageFolder(async (base) => {
    const print = (line: string) => void lines.push(line);
    await work(createStage(base, io, { print, paint: (_style, text) => text }), lines);
  });
}
