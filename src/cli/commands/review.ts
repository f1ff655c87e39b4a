import { exitCodes, SealtreeError } from "../../errors.ts";
import { hasGit, type GitPlace } from "../../git/place.ts";
import { findDefaultBranch } from "../../git/commit-range.ts";
import { compareRevisions, type Report } from "../../review/report.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { toReviewPage } from "../review-page.ts";

const forms = ["markdown", "html"] as const;

export const review: CommandModule = {
  arguments: "[range]",
  kind: "plain",
  description:
    "Says what a change does to secrets: which get a new value and which are only sealed again, who gains and loses access to how many values, what the policies say otherwise, what the checks find new. Compares HEAD of the range with where it parted from BASE, as a pull request does; BASE alone, or no range, looks at the work tree. Needs no key and runs nothing of the tree. Exits with 1 when the change brings errors. docs/reviewing.md reads a report line by line.",
  options: [
    { flags: "--markdown", description: "print Markdown, for a comment on GitHub" },
    { flags: "--html", description: "print a page of its own" },
    {
      flags: "--deep",
      description: "also open the values that your identity can open, and say what is odd about those that changed",
    },
    { flags: "--exit-zero", description: "exit with 0 also when the change brings errors" },
  ],
  examples: [
    { command: "sealtree review origin/main..HEAD", description: "what this branch would bring" },
    {
      command: "sealtree review origin/main..HEAD --markdown > comment.md",
      description: "for a comment on the pull request",
    },
    { command: "sealtree review --deep", description: "before a commit, with your key" },
  ],
  json: '{"verdict": "blocked"|"attention"|"fine", "reasons": [{"level": "error"|"attention", "text"}], "base": id, "head": id|null, "scopes": [{"scope", "state": "added"|"removed"|"changed", "is_whole": boolean, "comments": number, "secrets": [{"name", "kind": "added"|"changed"|"rolled-back"|"moved"|"copied"|"removed"|"unreadable"|"resealed", "value_id"|null, "value_id_before"|null, "set_at"|null, "is_drop": boolean, "is_adopted": boolean, "is_unproven": boolean, "from": {"scope","name"}|null, "earlier_commit"|null, "commit"|null, "author": {"name","email"}|null, "reason"|null, "rotation": {"state", "interval_ms"|"never"|null, "due_at"|null}|null}]}], "access": [{"name", "kind": "person"|"machine"|"recovery"|"stranger", "by_policy": {"gained": {"values", "by_scope": {scope: number}}, "lost"}|null, "by_keyrings": {"gained","lost"}, "still_known": {"values","by_scope"}}], "policy": [{"level": "attention"|"note", "text"}], "rotation": [{"scope", "name", "kind": "added"|"removed"|"changed", "changes": [text], "is_weaker": boolean}], "other_files": [path], "findings": {"new": [finding], "fixed": [finding], "remaining": [finding]} as check prints them, "overdue": number, "stale": number, "commits": [{"commit", "author", "at", "reason"|null, "subject"}], "verification": {"state": "done", "commits", "signing", "refused": [{"commit"|null, "rule", "severity", "message", "hint"}]} or {"state": "skipped", "why"}, "deep": {"opened", "closed", "remarks": [{"kind": "broken"|"same-id"|"same-value"|"expires"|"weak"|"equal", "secrets": [address], "text"}]}|null, "warnings": [text]}',
  async run(context, [range], options) {
    context.about({ operation: "review" });
    const form = chooseForm(context, options);
    const place = context.place();
    if (!hasGit(place)) {
      throw new SealtreeError(
        "E_NO_REPOSITORY",
        "the tree here is not a git repository, so there is nothing to compare",
        {
          hints: ["run it in a clone"],
        },
      );
    }
    const identities = options["deep"] === true ? await context.session.identities() : undefined;
    const sides = await parseRange(place, range);
    const report = await compareRevisions(place, { ...sides, now: context.session.now(), identities });
    if (identities !== undefined) auditDeep(context, report);
    await print(context, report, form);
    return report.verdict === "blocked" && options["exitZero"] !== true ? exitCodes.found : exitCodes.ok;
  },
};

type Form = (typeof forms)[number] | "json" | "text";

function chooseForm(context: Context, options: Readonly<Record<string, unknown>>): Form {
  const asked: Form[] = [
    ...forms.filter((form) => options[form] === true),
    ...(context.options.json ? (["json"] as const) : []),
  ];
  if (asked.length > 1)
    throw new SealtreeError("E_USAGE", "there is one form at a time", { hints: ["--markdown, --html or --json"] });
  return asked[0] ?? "text";
}

/** `A..B` and `A...B` mean the same: B against where it parted from A. Throws E_USAGE. */
async function parseRange(place: GitPlace, range: string | undefined) {
  if (range === undefined) return { base: (await findDefaultBranch(place)) ?? "HEAD", head: undefined };
  const [, base = "", dots, head = ""] = /^(.*?)(\.\.\.?)(.*)$/.exec(range) ?? [undefined, range];
  if (base === "" && head === "") {
    throw new SealtreeError("E_USAGE", "the range names no revision", { hints: ["such as origin/main..HEAD"] });
  }
  return { base: base === "" ? "HEAD" : base, head: dots === undefined ? undefined : head === "" ? "HEAD" : head };
}

async function print(context: Context, report: Report, form: Form): Promise<void> {
  if (form === "json") {
    context.json((await import("../review-json.ts")).reviewJson(report));
    return;
  }
  const page = toReviewPage(report);
  if (form === "markdown")
    context.io.stdout.write((await import("../review-markdown.ts")).printReviewMarkdown(report, page));
  else if (form === "html") context.line((await import("../review-html.ts")).printReviewHtml(report, page));
  else (await import("../review-text.ts")).printReviewText(context, report, page);
}

/** What should open and does not is in the audit log like any failed access. */
function auditDeep(context: Context, { deep }: Report): void {
  const broken = (deep?.remarks ?? []).filter(({ kind }) => kind === "broken");
  context.audit(
    broken.map(
      ({ secrets }) => ({ kind: "accessFailed", operation: "review", outcome: "failed", reason: secrets[0] }) as const,
    ),
  );
}
