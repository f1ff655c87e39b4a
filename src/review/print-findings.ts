import type { Finding } from "../store/finding.ts";

/** A finding as a GitHub workflow command, which becomes an annotation (docs.github.com, "Workflow commands"). */
export function printGithubFinding({ rule, severity, message, file, line, column, hint }: Finding): string {
  const properties = [
    `file=${escapeProperty(file)}`,
    ...(line === undefined ? [] : [`line=${line}`]),
    ...(column === undefined ? [] : [`col=${column}`]),
    `title=${escapeProperty(`sealtree ${rule}`)}`,
  ];
  return `::${severity} ${properties.join(",")}::${escapeData(hint === undefined ? message : `${message}\n${hint}`)}`;
}

/** A finding as `--json` prints it. */
export function toJsonFinding({ rule, severity, message, file, line, hint }: Finding) {
  return { rule, severity, message, file, line: line ?? null, hint: hint ?? null };
}

/**
 * `text` with nothing in it that a runner takes for a command wherever it stands in a line:
 * `##[...]` of GitHub, `##vso[...]` of Azure. What counts at the start of a line is not touched.
 */
export function withoutRunnerCommands(text: string): string {
  return text.replaceAll(/##(?=\[|vso\[)/gi, "#\\u{23}");
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
