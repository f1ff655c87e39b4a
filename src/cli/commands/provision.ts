import type { PlannedSecret, ProvisionPlan } from "../../provision/plan.ts";
import { planProvision } from "../../provision/plan.ts";
import { provision as write } from "../../provision/provision.ts";
import { parseTemplate } from "../../provision/template.ts";
import { parseScopePath, printAddress } from "../../secret/address.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { fitTable } from "../fit-table.ts";
import { count } from "../present.ts";
import { parseTemplateOption, readAnswers } from "../provision-answers.ts";
import { auditWrite, sayDrops } from "../report-write.ts";
import { readInputFile } from "../value-input.ts";

const maxTemplateBytes = 1024 * 1024;

export const provision: CommandModule = {
  arguments: "<env>",
  kind: "write",
  description:
    "Makes the secrets of a new environment from a template of names: each is generated, asked for, or copied. Shows the plan and asks, writes one commit, and never writes over a secret that is there, so that it can be run again. A template holds no values.",
  options: [
    { flags: "--template <file>", description: "scopes with ${env} in them, and where each secret comes from" },
    { flags: "--stdin", description: "read what the template asks for as JSON from stdin: address to text" },
  ],
  examples: [
    { command: "sealtree provision qa --template templates/service.yaml --dry-run", description: "what would come" },
    {
      command: "sealtree provision qa --template templates/service.yaml",
      description: "make it, asking for what cannot be made",
    },
    {
      command: "sealtree provision pr-42 --template templates/preview.yaml --stdin --yes < answers.json",
      description: "in a script",
    },
  ],
  json: '{"env", "secrets": [{"address", "step": "stays"|"generate"|"prompt"|"copy"|"no source", "optional": boolean, "from": address|generator|null, "written": boolean}], "missing": [address], "commit": id|null, "dry_run": boolean}',
  async run(context, [text = ""], options) {
    const env = parseScopePath(text);
    const file = parseTemplateOption(options["template"]);
    context.about({ operation: "provision", scope: env });
    const template = parseTemplate(readInputFile(context, file, maxTemplateBytes), file, env);
    const plan = await planProvision(openWorkTree(context.place().root), template);
    if (context.options.dryRun) {
      report(context, env, plan, { written: new Set(), commit: undefined });
      return;
    }
    if (!context.options.json) for (const line of planLines(context, plan)) context.say(line);
    const answers = await readAnswers(context, plan.secrets, options["stdin"] === true);
    const coming = plan.secrets.filter(({ step }) => ["generate", "prompt", "copy"].includes(step)).length;
    if (coming > 0) await context.confirm(`write ${count(coming, "secret")} for ${env}?`);
    const { session, options: common } = context;
    const outcome = await write(session, env, plan, answers, { ...common, note: common.note });
    await auditWrite(context, outcome, { operation: "provision", kind: "written" });
    const written = new Set(
      outcome.result.flatMap(({ scope, added }) => added.map((name) => printAddress({ scope, name }))),
    );
    report(context, env, plan, { written, commit: outcome.commit });
    if (context.options.json) return;
    for (const { scope, drops } of outcome.result) if (drops.length > 0) context.say(sayDrops(scope, drops.length));
  },
};

interface Outcome {
  readonly written: ReadonlySet<string>;
  readonly commit: string | undefined;
}

function report(context: Context, env: string, plan: ProvisionPlan, { written, commit }: Outcome): void {
  if (context.options.json) {
    const secrets = plan.secrets.map((secret) => ({
      address: printAddress(secret.address),
      step: secret.step,
      optional: secret.optional,
      from: fromOf(secret),
      written: written.has(printAddress(secret.address)),
    }));
    const { missing } = plan;
    context.json({ env, secrets, missing, commit: commit ?? null, dry_run: context.options.dryRun });
    return;
  }
  if (context.options.dryRun) {
    for (const line of planLines(context, plan)) context.say(line);
    return;
  }
  context.say(written.size === 0 ? `nothing to write for ${env}` : `wrote ${count(written.size, "secret")} for ${env}`);
  if (commit !== undefined) context.say(`committed ${commit.slice(0, 9)}`);
}

const sayings = {
  stays: "is there, stays",
  generate: "generate",
  prompt: "ask",
  copy: "copy",
  "no source": "no source",
} as const;

function planLines(context: Context, { secrets, missing }: ProvisionPlan): string[] {
  const rows = fitTable<PlannedSecret>(
    [
      { head: "SECRET", cell: ({ address }) => printAddress(address) },
      { head: "STEP", cell: ({ step, optional }) => `${sayings[step]}${optional ? ", optional" : ""}` },
      { head: "FROM", cell: (secret) => fromOf(secret) ?? "", goes: 1 },
    ],
    secrets,
    context.io.stderr,
  );
  const needed = missing.map((address) => `  ${address}`);
  return needed.length === 0
    ? rows
    : [...rows, "policies/schema.yaml asks for these, and the template has none:", ...needed];
}

function fromOf({ origin }: PlannedSecret): string | null {
  if (origin.way === "generate") return origin.written;
  return origin.way === "copy" ? printAddress(origin.from) : null;
}
