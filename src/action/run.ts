import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { main } from "../cli/main.ts";
import { commandIo } from "./command-io.ts";
import { checkVariable } from "./guards.ts";
import type { Job } from "./job.ts";
import { loadValues } from "./load-values.ts";

const fileNameBytes = 8;
/** The script alone finds programs of the tree, where the job's PATH has them: who wrote it chose them. */
const withGivenPath = 'PATH=$1 exec "$BASH" --noprofile --norc -eo pipefail "$2"';

/**
 * Runs the script of the input `run` with the values as environment variables, and with no way
 * to steer the runner. Its output is masked and shows in the log as text. Gives its exit status.
 */
export async function actRun(job: Job): Promise<number> {
  const { inputs, runner, io } = job;
  const { values, unmasked, selection } = await loadValues(job);
  for (const variable of values.keys()) checkVariable(variable, inputs["allow-names"]);
  if (unmasked.length > 0) {
    runner.annotate("warning", `too short for a mask, so the output may show it: ${unmasked.join(", ")}`, {
      title: "sealtree run",
    });
  }
  const script = join(job.temporary, `sealtree-run-${Buffer.from(io.random(fileNameBytes)).toString("hex")}.sh`);
  job.keepForPost(script);
  writeFileSync(script, `${inputs.run ?? ""}\n`, { mode: 0o600, flag: "wx" });
  const allow = inputs["allow-names"].length === 0 ? [] : ["--allow-name", inputs["allow-names"].join(",")];
  const shell = ["bash", "--noprofile", "--norc", "-c", withGivenPath, "bash", io.env["PATH"] ?? "", script];
  const block = runner.openBlock();
  const sink = {
    write(chunk: string | Uint8Array) {
      block.write(chunk);
      return true;
    },
  };
  let status: number;
  try {
    status = await main(["run", ...selection, ...allow, "--", ...shell], commandIo(job, sink, sink));
  } finally {
    block.end();
    rmSync(script, { force: true });
  }
  runner.setOutput("count", String(values.size));
  runner.setOutput("names", [...values.keys()].join(","));
  runner.setOutput("status", String(status));
  return status;
}
