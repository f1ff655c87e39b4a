import { processIo } from "../cli/io.ts";
import { endKeptAgent } from "./end-kept-agent.ts";
import { removeKept } from "./remove-kept.ts";
import { createRunner } from "./runner.ts";

// The runner starts this file when the job ends, however it ends.
const io = processIo();
const runner = createRunner({
  env: io.env,
  write: (chunk) => io.stdout.write(chunk),
  random: (size) => io.random(size),
});
endKeptAgent(io.env);
const { removed, left } = removeKept(io.env);
if (removed > 0) runner.print(`sealtree removed what it left in plaintext: ${removed}\n`);
if (left > 0) {
  runner.annotate("error", "a file with plaintext could not be removed: end this machine, or remove it by hand");
  process.exitCode = 1;
}
