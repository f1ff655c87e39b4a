import { processIo } from "../cli/io.ts";
import { runAction } from "./run-action.ts";

// The runner starts this file for the step, with the inputs in INPUT_*.
void start();

async function start(): Promise<void> {
  process.exitCode = await runAction(processIo());
}
