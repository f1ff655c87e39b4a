import { describe, expect, it } from "vitest";
import { runNoticeHook, type NoticeHook } from "../../src/rotation/notice-hook.ts";
import { makeThrowAway } from "../support/throw-away.ts";

const input = JSON.stringify({ type: "rotation.notice", data: "x".repeat(300_000) });

/** Runs a program for Node as the hook. */
async function run(program: string, changes: Partial<NoticeHook> = {}): Promise<string> {
  const output: Uint8Array[] = [];
  await runNoticeHook(
    {
      command: process.execPath,
      args: ["-e", program, "an argument"],
      directory: makeThrowAway("sealtree-hook-"),
      environment: { PATH: process.env["PATH"] ?? "", GREETING: "$HOME `date`" },
      onOutput: (chunk) => output.push(chunk),
      timeoutMs: 20_000,
      ...changes,
    },
    input,
  );
  return Buffer.concat(output).toString("utf8");
}

describe("runNoticeHook", () => {
  it("hands over the whole input, the arguments and no environment but the given one, without a shell", async () => {
    const program = `
      const text = require("node:fs").readFileSync(0, "utf8");
      console.log(JSON.parse(text).data.length, process.argv[1], process.env.GREETING);
      console.error("to stderr", process.env.HOME);`;
    const output = await run(program);
    expect(output).toContain("300000 an argument $HOME `date`\n");
    expect(output).toContain("to stderr undefined\n");
  });

  it("does not mind a command that reads nothing", async () => {
    expect(await run("process.exit(0)")).toBe("");
  });

  it.each([
    ["another status", "process.exit(3)", {}, /it ended with 3$/],
    ["a signal", "process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 9e4)", {}, /it ended with SIGTERM$/],
    ["too long a time", "setTimeout(() => {}, 9e4)", { timeoutMs: 200 }, /it was ended, after 0 s at most$/],
    ["no such program", "", { command: "no-such-program-of-tests" }, /cannot be started \(ENOENT\)$/],
  ])("fails for %s", async (_what, program, changes, message) => {
    await expect(run(program, changes)).rejects.toMatchObject({
      code: "E_HOOK_FAILED",
      message: expect.stringMatching(message),
    });
  });
});
