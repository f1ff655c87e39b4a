import { writeSync } from "node:fs";
import { enableCompileCache } from "./compile-cache.ts";
import type { processIo } from "./io.ts";
import type { main } from "./main.ts";
import { isVersionRequest, version } from "./version.ts";

// The launcher is built alone, as CommonJS, and asks for the core by the name it has in dist:
// each step between would be paid at every start (scripts/bundle.js).
interface Core {
  readonly main: typeof main;
  readonly processIo: typeof processIo;
}

const argv = process.argv.slice(2);
if (isVersionRequest(argv)) writeSync(1, `${version}\n`);
else void start();

/** Loads the core after the cache is on, so that the cache serves it too. */
async function start(): Promise<void> {
  enableCompileCache(process.env);
  const core = require("./chunks/core.js") as Core;
  process.exitCode = await core.main(argv, core.processIo());
}
