import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasCode } from "../../src/errors.ts";
import { holdUserIndex, sweepGitLeftovers } from "../../src/git/user-index.ts";

let gitDirectory: string;
let index: string;
let lock: string;
const place = () => ({ gitDirectory, commonDirectory: gitDirectory, index });

beforeEach(() => {
  gitDirectory = mkdtempSync(join(tmpdir(), "sealtree-index-"));
  index = join(gitDirectory, "index");
  lock = `${index}.lock`;
  writeFileSync(index, "old");
});
afterEach(() => rmSync(gitDirectory, { recursive: true }));

describe("holdUserIndex", () => {
  it("puts the changed copy in the place of the index and leaves nothing behind", async () => {
    const held = await holdUserIndex(place(), { timeoutMs: 0 });
    expect([existsSync(lock), readFileSync(held.copy, "utf8")]).toEqual([true, "old"]);
    writeFileSync(held.copy, "new");
    held.publish();
    held.release();
    expect(readFileSync(index, "utf8")).toBe("new");
    expect(readdirSync(gitDirectory)).toEqual(["index"]);
  });

  it("leaves the index as it is when nothing is published", async () => {
    const held = await holdUserIndex(place(), { timeoutMs: 0 });
    writeFileSync(held.copy, "new");
    held.release();
    expect(readFileSync(index, "utf8")).toBe("old");
    expect(readdirSync(gitDirectory)).toEqual(["index"]);
  });

  it("names the lock of another git command, and leaves it", async () => {
    writeFileSync(lock, "");
    const error: unknown = await holdUserIndex(place(), { timeoutMs: 0 }).catch((thrown: unknown) => thrown);
    expect(hasCode(error, "E_LOCKED") && error.hints.join()).toContain(lock);
    expect(readdirSync(gitDirectory)).toEqual(["index", "index.lock"]);
  });

  it("waits until another git command gives the index back", async () => {
    writeFileSync(lock, "");
    const waiting = holdUserIndex(place(), { timeoutMs: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    rmSync(lock);
    (await waiting).release();
    expect(readdirSync(gitDirectory)).toEqual(["index"]);
  });
});

describe("sweepGitLeftovers", () => {
  it("takes away what a killed writer of ours held", async () => {
    await holdUserIndex(place(), { timeoutMs: 0 });
    writeFileSync(join(gitDirectory, "sealtree-message-4242"), "");
    sweepGitLeftovers(place());
    expect(readdirSync(gitDirectory)).toEqual(["index"]);
  });

  it("leaves the lock of another git command", async () => {
    const held = await holdUserIndex(place(), { timeoutMs: 0 });
    rmSync(lock);
    writeFileSync(lock, "another's");
    sweepGitLeftovers(place());
    expect(readFileSync(lock, "utf8")).toBe("another's");
    expect(existsSync(held.copy)).toBe(false);
  });
});
