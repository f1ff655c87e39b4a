import { exitCodes, SealtreeError } from "../../errors.ts";
import { openBase } from "../../review/base.ts";
import { rules } from "../../review/checks/registry.ts";
import { createDeepCheck } from "../../review/deep-check.ts";
import { runChecks, type Review, type ReviewOptions } from "../../review/run-checks.ts";
import type { Rule } from "../../review/rule.ts";
import type { Finding } from "../../store/finding.ts";
import { scopeFilePath } from "../../store/layout.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { chooseFindingFormat } from "../finding-format.ts";
import { count } from "../present.ts";
import { printCheck, type CheckReport } from "../print-check.ts";

export const check: CommandModule = {
  arguments: "",
  kind: "both",
  description:
    "Looks for what is wrong in the policies, scope files and keyrings, and compares them with the commit before. Needs no key, so it runs on a pull request from anybody. Exits with 1 when it finds an error. docs/checks.md explains each rule. It writes only with --fix: what can be put right without a key and without a choice, in one commit.",
  options: [
    { flags: "--deep", description: "also open every record that your identity can open" },
    { flags: "--live", description: "also ask the providers whether the values are let in, which takes your identity" },
    { flags: "--strict", description: "let warnings count as errors" },
    { flags: "--base <rev>", description: "compare with where the history of <rev> parted from this one" },
    { flags: "--fix", description: "put file modes, .gitattributes and the order of scope files right" },
    { flags: "--format <format>", description: "text, github for annotations in a workflow, json or sarif" },
    { flags: "--sarif", description: "the same as --format sarif" },
  ],
  examples: [
    { command: "sealtree check", description: "before a commit" },
    { command: "sealtree check --strict --format github --base origin/main", description: "on a pull request" },
    { command: "sealtree check --fix --dry-run", description: "what could be put right" },
    { command: "sealtree check --deep --at v1.4.0", description: "that a release can be opened" },
  ],
  json: '{"findings": [{"rule", "severity": "error"|"warning"|"notice", "message", "file", "line"|null, "hint"|null}], "errors", "warnings", "notices", "scopes", "secrets", "base": id|null, with --deep "opened", "closed": number, and with --fix "fixed": [{"file", "what"}], "commit": id|null, "dry_run": boolean}',
  async run(context, _args, options) {
    context.about({ operation: "check" });
    const format = chooseFindingFormat(context, options);
    const base = typeof options["base"] === "string" ? options["base"] : undefined;
    const fixes = options["fix"] === true ? await fix(context) : undefined;
    const reviewed = await review(context, base, options["deep"] === true);
    const findings =
      options["live"] === true ? [...reviewed.findings, ...(await askProviders(context))] : reviewed.findings;
    const report = { ...reviewed, findings, fixes };
    printCheck(context, report, format);
    if (fixes !== undefined && format === "text") sayKeyed(context, report.findings);
    const counts: readonly Finding["severity"][] = options["strict"] === true ? ["error", "warning"] : ["error"];
    return report.findings.some(({ severity }) => counts.includes(severity)) ? exitCodes.found : exitCodes.ok;
  },
};

async function review(
  context: Context,
  base: string | undefined,
  isDeep: boolean,
): Promise<Omit<CheckReport, "fixes">> {
  const deep = isDeep ? await createDeepCheck(await context.session.identities()) : undefined;
  const tree = await context.tree();
  const compared = await openBase(context.place(), { at: context.options.at, base });
  let found: Review;
  try {
    const look: Pick<ReviewOptions, "onScope" | "onTree"> =
      deep === undefined
        ? {}
        : { onScope: async (scope) => await deep.onScope(scope), onTree: async () => await deep.onTree(tree) };
    found = await runChecks(tree, { now: context.session.now(), base: compared, ...look });
  } finally {
    compared?.tree.close();
  }
  if (deep !== undefined) auditDeep(context, found.findings);
  return { ...found, deep };
}

/** Looks at HEAD, or the commit of --at: what is only in the work tree is nobody's value yet. */
async function askProviders(context: Context): Promise<Finding[]> {
  const { probeLive } = await import("../../rotation/probe-live.ts");
  const { resolveCommit } = await import("../../git/revision.ts");
  const commit = await resolveCommit(context.place(), context.options.at ?? "HEAD");
  const probed = await probeLive(context.session, context.io.env, commit);
  return probed.flatMap(({ address: { scope, name }, liveness, why }): Finding[] => {
    const place = { rule: "live", file: scopeFilePath(scope) } as const;
    if (liveness === "live") return [];
    const dead = `the provider does not let the value of ${name} in`;
    return liveness === "dead"
      ? [{ ...place, severity: "error", message: dead, hint: `sealtree rotate ${scope}/${name}` }]
      : [{ ...place, severity: "warning", message: `whether ${name} is let in is not known: ${why ?? ""}` }];
  });
}

async function fix(context: Context): Promise<CheckReport["fixes"]> {
  const { at, commit, dryRun, note, json } = context.options;
  if (at !== undefined) {
    throw new SealtreeError("E_USAGE", "a commit cannot be put right, only the work tree", {
      hints: ["--fix goes without --at"],
    });
  }
  const { fixTree } = await import("../../review/fix.ts");
  const outcome = await fixTree(context.session, { commit, dryRun, note });
  if (!json) {
    for (const { file, what } of outcome.result) context.say(`${dryRun ? "would fix" : "fixed"} ${file}: ${what}`);
    if (outcome.commit !== undefined) context.say(`committed ${outcome.commit.slice(0, 9)}`);
  }
  return { done: outcome.result, commit: outcome.commit };
}

/** The commands that mend the rest, for which somebody's key is needed. */
function sayKeyed(context: Context, findings: readonly Finding[]): void {
  const all: readonly Rule[] = rules;
  for (const command of new Set(all.flatMap(({ mendedBy }) => mendedBy ?? []))) {
    const names = new Set(all.filter(({ mendedBy }) => mendedBy === command).map(({ name }) => name));
    const amount = findings.filter(({ rule }) => names.has(rule)).length;
    if (amount > 0)
      context.say(`${count(amount, "finding")} of these take${amount === 1 ? "s" : ""} a key: ${command}`);
  }
}

/** What should open and does not is in the audit log like any failed access. */
function auditDeep(context: Context, findings: readonly Finding[]): void {
  context.audit(
    findings
      .filter(({ rule }) => rule === "deep")
      .map(({ file }) => ({ kind: "accessFailed", operation: "check", outcome: "failed", reason: file }) as const),
  );
}
