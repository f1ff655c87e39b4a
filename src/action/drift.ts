import { exitCodes } from "../errors.ts";
import { checkHistory } from "./guards.ts";
import type { Job } from "./job.ts";
import { summaryTable } from "./summary-table.ts";
import { callWithRemote } from "./writing-job.ts";

/** As far as it is shown. */
interface DriftJson {
  readonly targets: readonly {
    readonly target: string;
    readonly state: "in sync" | "drift" | "unknown";
    readonly unknown: string | null;
    readonly items: readonly { readonly name: string; readonly state: string; readonly reason: string }[];
  }[];
}

const noTargets = "there are no targets in policies/deploy.yaml";

/**
 * Compares targets with the values of the commit, and changes nothing. Gives the exit status of
 * `sealtree drift`: 1 when something differs. What cannot be read is a notice, and no failure.
 */
export async function actDrift(job: Job): Promise<number> {
  const { inputs, runner } = job;
  await checkHistory("drift", job.place);
  const { code, json } = await callWithRemote<DriftJson>(job, { contents: "read" }, ["drift", ...inputs.targets]);
  const found = json.targets.map((target) => ({
    ...target,
    items: target.items.filter(({ state }) => state !== "in sync" && state !== "unknown"),
  }));
  const drifted = found.filter(({ state }) => state === "drift");
  runner.setOutput("count", String(found.reduce((sum, { items }) => sum + items.length, 0)));
  runner.setOutput("failed", String(drifted.length));
  runner.setOutput("names", drifted.map(({ target }) => target).join(","));
  for (const { target, items } of drifted) {
    const names = items.map(({ name, state }) => `${name} (${state})`).join(", ");
    runner.annotate(code === exitCodes.ok ? "warning" : "error", `${target}: ${names}`, { title: "sealtree drift" });
  }
  for (const { target, unknown } of found.filter(({ state }) => state === "unknown"))
    runner.annotate("notice", `${target} cannot be compared: ${unknown ?? "it does not show what it holds"}`, {
      title: "sealtree drift",
    });
  if (found.length === 0) runner.annotate("notice", noTargets, { title: "sealtree drift" });
  runner.summarize(
    [
      "### sealtree drift",
      ...(found.length === 0 ? ["", `Nothing was compared: ${noTargets}.`] : []),
      ...summaryTable(
        ["target", "state", "differs"],
        found.map(({ target, state, items, unknown }) => [
          target,
          state,
          items.map(({ name, state: how }) => `${name} (${how})`).join(", ") || (unknown ?? ""),
        ]),
      ),
    ].join("\n"),
  );
  return code;
}
