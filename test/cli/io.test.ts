import { spawnSync } from "node:child_process";
import { expect, it, onTestFinished, vi } from "vitest";
import { processIo } from "../../src/cli/io.ts";

it("takes what asks for identity tokens out of the environment of the process", () => {
  vi.stubEnv("ACTIONS_ID_TOKEN_REQUEST_URL", "https://test.example.com/idtoken");
  vi.stubEnv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "test-request-bearer");
  onTestFinished(() => void vi.unstubAllEnvs());
  const { env, tokenRequest } = processIo();
  expect(tokenRequest?.url).toBe("https://test.example.com/idtoken");
  expect(tokenRequest?.bearer.revealText()).toBe("test-request-bearer");
  expect(Object.keys(env).filter((name) => name.startsWith("ACTIONS_ID_TOKEN"))).toEqual([]);
  // A program that gets no environment of its own gets that of the process.
  const child = spawnSync(process.execPath, ["-p", "JSON.stringify(process.env)"], { encoding: "utf8" });
  expect(child.stdout).toContain("PATH");
  expect(child.stdout).not.toContain("test-request-bearer");
  expect(processIo().tokenRequest).toBeUndefined();
});
