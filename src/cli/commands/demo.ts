import { cpSync, existsSync } from "node:fs";
import { resolve } from "node:path";
import { exitCodes, SealtreeError } from "../../errors.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { countFigures, describeFigures, showsValue, type Figures } from "../demo-figures.ts";
import { inventServices } from "../demo-input.ts";
import { createStage, withStageFolder, type Stage } from "../demo-stage.ts";
import { playMembers, playMerge, playRekey } from "../demo-team.ts";
import { playChecks, playRotation, playTampering } from "../demo-upkeep.ts";
import { playHistory, playReads, playSetUp } from "../demo-values.ts";
import { table } from "../present.ts";

export const demo: CommandModule = {
  arguments: "",
  kind: "plain",
  description:
    "Shows what sealtree does: twenty services, two hundred secrets and three people in a throw-away repository, from the first import to a rotation and an attack. Touches nothing of yours, prints no value, and ends with 0 only when every claim on the way held.",
  options: [{ flags: "--keep <dir>", description: "copy the demo's repository and homes to a new folder" }],
  examples: [
    { command: "sealtree demo", description: "watch it" },
    { command: "sealtree demo --keep /tmp/demo", description: "and look around in it afterwards" },
  ],
  json: '{"ok": boolean, "claims": number, "failed": [claim], "kept": path|null, "figures": {"secrets", "scopes", "members", "commits", "rotated", "seal_ms", "open_ms", "get_ms", "list_ms": number}}',
  async run(context, _args, options) {
    context.about({ operation: "demo" });
    const keep = typeof options["keep"] === "string" ? resolve(context.directory, options["keep"]) : undefined;
    if (keep !== undefined && existsSync(keep)) {
      throw new SealtreeError("E_EXISTS", "the folder of --keep is there already", { hints: ["name a new one"] });
    }
    return await withStageFolder(async (base) => {
      const print = context.options.json ? () => undefined : (line: string) => context.line(line);
      const stage = createStage(base, context.io, { print, paint: (style, text) => context.paint(style, text) });
      try {
        const figures = await play(stage);
        report(context, stage, figures, keep);
      } finally {
        if (keep !== undefined) cpSync(base, keep, { recursive: true, verbatimSymlinks: true });
      }
      return stage.failures.length === 0 ? exitCodes.ok : exitCodes.found;
    });
  },
};

async function play(stage: Stage): Promise<Figures> {
  const services = inventServices((size) => stage.io.random(size));
  const sealMs = await playSetUp(stage, services);
  const reads = await playReads(stage, services);
  const fresh = await playHistory(stage, services);
  await playMerge(stage);
  await playMembers(stage, services);
  await playRekey(stage);
  const rotated = await playRotation(stage);
  await playChecks(stage);
  await playTampering(stage);
  stage.act("Look back", "Everything above is in this repository's history, and on this screen.");
  stage.claim(
    "not one value was shown",
    showsValue(stage.shown, [...services.flatMap(({ values }) => [...values.values()]), fresh]),
    false,
  );
  return await countFigures(stage, { sealMs, ...reads, rotated });
}

function report(context: Context, stage: Stage, figures: Figures, keep: string | undefined): void {
  const { claims, failures } = stage;
  if (context.options.json) {
    const ok = failures.length === 0;
    context.json({ ok, claims, failed: failures, kept: keep ?? null, figures });
    return;
  }
  context.line("");
  context.line(context.paint("bold", "Figures"));
  for (const line of table(describeFigures(figures).map((row) => ["  ", ...row]))) context.line(line);
  context.line("");
  context.line(`${claims - failures.length} of ${claims} claims held.`);
  context.line(keep === undefined ? `The repository was ${stage.alice.root}; it is removed.` : `Kept in ${keep}.`);
}
