import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hasCode } from "../../src/errors.ts";
import { withLock } from "../../src/store/lock.ts";

const directory = mkdtempSync(join(tmpdir(), "sealtree-lock-"));
afterAll(() => rmSync(directory, { recursive: true }));

describe("withLock", () => {
  it("lets one holder in at a time and leaves nothing behind", async () => {
    const path = join(directory, "turns");
    let inside = 0;
    let most = 0;
    const enter = () =>
      withLock(path, { timeoutMs: 20_000 }, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setTimeout(resolve, 5));
        inside -= 1;
      });
    await Promise.all(Array.from({ length: 12 }, enter));
    expect(most).toBe(1);
    expect(readdirSync(directory).filter((name) => name.startsWith("turns"))).toEqual([]);
  });

  it("takes over the lock of a process that is gone", async () => {
    const path = join(directory, "gone");
    const pid = execFileSync("sh", ["-c", "echo $$"], { encoding: "utf8" }).trim();
    writeFileSync(path, `${pid} 1 ${hostname()} ${Date.now()} x\n`);
    expect(await withLock(path, { timeoutMs: 5000 }, () => Promise.resolve("in"))).toBe("in");
  });

  it("takes over a lock whose process number belongs to another program by now", async () => {
    const path = join(directory, "reused");
    writeFileSync(path, `${process.pid} 1 ${hostname()} ${Date.now()} x\n`);
    expect(await withLock(path, { timeoutMs: 5000 }, () => Promise.resolve("in"))).toBe("in");
  });

  it("waits for a fresh lock of another host, and then says who holds it", async () => {
    const path = join(directory, "elsewhere");
    writeFileSync(path, `4242 1 another-host ${Date.now()} x\n`);
    const error: unknown = await withLock(path, { timeoutMs: 50 }, () => Promise.resolve()).catch(
      (thrown: unknown) => thrown,
    );
    expect(hasCode(error, "E_LOCKED")).toBe(true);
    expect(existsSync(path)).toBe(true);
  });

  it("gives the lock back when the work fails", async () => {
    const path = join(directory, "fails");
    await expect(withLock(path, { timeoutMs: 50 }, () => Promise.reject(new Error("work")))).rejects.toThrow("work");
    expect(existsSync(path)).toBe(false);
  });
});
