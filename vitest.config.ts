import { existsSync, statfsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const memory = "/dev/shm";
const neededBytes = 2 * 1024 ** 3;

/** In memory where there is room: no test here is about what a power cut leaves, and a disk takes its time. */
function findTemporary(): Record<string, string> {
  if (!existsSync(memory)) return {};
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize > neededBytes ? { TMPDIR: memory } : {};
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/real/**"],
    globalSetup: ["test/support/build.ts"],
    setupFiles: ["test/support/env.ts"],
    env: findTemporary(),
    maxWorkers: availableParallelism(),
    // One module graph a worker: most of the time went into loading the same modules for each file.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
