import type { SettingFinding } from "../github/settings/finding.ts";
import { settingAreas } from "../github/settings/rules.ts";
import type { Context } from "./context.ts";
import { oneLine } from "./one-line.ts";
import { count, type Style } from "./present.ts";

/** Puts the findings on stdout, area by area or as JSON, and what they come to on stderr. */
export function printSettings(context: Context, repository: string, findings: readonly SettingFinding[]): void {
  const open = findings.filter(({ state }) => state !== "ok");
  const countOf = (severity: SettingFinding["severity"]) => open.filter((it) => it.severity === severity).length;
  if (context.options.json) {
    context.json({
      repository,
      findings: findings.map(({ hint, ...rest }) => ({ ...rest, hint: hint ?? null })),
      errors: countOf("error"),
      warnings: countOf("warning"),
      notices: countOf("notice"),
    });
    return;
  }
  for (const area of settingAreas) printArea(context, area, findings);
  const missing = open.filter(({ state }) => state === "missing").length;
  const said = [
    ...(missing === 0 ? [] : [`${count(missing, "setting")} missing`]),
    ...(missing === open.length ? [] : [`${open.length - missing} not known`]),
  ];
  const what = said.length === 0 ? "nothing is missing" : said.join(", ");
  context.say(`${what} of ${count(findings.length, "setting")} of ${repository}; docs/github-settings.md has each`);
}

const styles = { error: "red", warning: "yellow", notice: "cyan" } as const satisfies Record<string, Style>;

function printArea(context: Context, area: string, findings: readonly SettingFinding[]): void {
  const own = findings.filter((finding) => finding.area === area);
  if (own.length === 0) return;
  if (findings[0]?.area !== area) context.line("");
  context.line(context.paint("bold", area));
  const width = Math.max(...findings.map(({ rule }) => rule.length));
  for (const [index, { rule, state, severity, message, hint }] of own.entries()) {
    const word = state === "ok" ? "ok" : `${severity} ${state}`;
    const shown = context.paint(state === "ok" ? "green" : styles[severity], word.padEnd("warning missing".length));
    context.line(`  ${shown}  ${rule.padEnd(width)}  ${oneLine(message)}`);
    // What several lines come to is said once, below the last.
    if (hint !== undefined && hint !== own[index + 1]?.hint)
      context.line(context.paint("dim", `      ${oneLine(hint)}`));
  }
}
