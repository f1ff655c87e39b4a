import { defineConfig } from "vitest/config";
import { findTemporary } from "./test/support/temporary-folder.ts";

export default defineConfig({
  test: {
    include: ["test/real/**/*.test.ts"],
    globalSetup: ["test/support/build.ts"],
    setupFiles: ["test/support/env.ts", "test/support/real-tools.ts"],
    env: findTemporary(),
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 300_000,
  },
});
