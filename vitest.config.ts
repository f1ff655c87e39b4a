import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { findTemporary } from "./test/support/temporary-folder.ts";

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
