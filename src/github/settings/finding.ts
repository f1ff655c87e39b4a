import { settingRules, type SettingArea, type SettingRule, type SettingSeverity } from "./rules.ts";

/** What a setting is: as it must be, not so, or not to be seen with this token. */
export type SettingState = "ok" | "missing" | "unknown";

/** One setting of the repository, compared with what sealtree needs. */
export interface SettingFinding {
  readonly rule: SettingRule;
  readonly area: SettingArea;
  readonly state: SettingState;
  readonly severity: SettingSeverity;
  /** One sentence of our own words; names of settings are the only thing in it that GitHub said. */
  readonly message: string;
  /** A command or an address; undefined for what is as it must be. */
  readonly hint: string | undefined;
}

/** A setting that is as it must be. */
export function settingOk(rule: SettingRule, message: string): SettingFinding {
  return { ...kindOf(rule), state: "ok", message, hint: undefined };
}

/** A setting that is not as it must be, with what to do; `severity` where it is not that of the rule. */
export function settingMissing(
  rule: SettingRule,
  message: string,
  hint: string,
  severity: SettingSeverity = settingRules[rule].severity,
): SettingFinding {
  return { ...kindOf(rule), severity, state: "missing", message, hint };
}

/** A setting that cannot be seen, with what is needed to see it. */
export function settingUnknown(
  rule: SettingRule,
  message: string,
  hint: string,
  severity: SettingSeverity = settingRules[rule].severity,
): SettingFinding {
  return { ...kindOf(rule), severity, state: "unknown", message, hint };
}

/** True when the check fails: an error, or with `isStrict` a warning, that is missing or not known. */
export function failsSettings(findings: readonly SettingFinding[], isStrict: boolean): boolean {
  return findings.some(
    ({ state, severity }) => state !== "ok" && (severity === "error" || (isStrict && severity === "warning")),
  );
}

function kindOf(rule: SettingRule): Pick<SettingFinding, "rule" | "area" | "severity"> {
  const { area, severity } = settingRules[rule];
  return { rule, area, severity };
}

/**
 * A name that GitHub gave, fit to stand in a message: what names of branches, environments, secrets
 * and files are made of, not long, and nothing that somebody pasted as a name and is a token or a key.
 * Others are said to be there, and not repeated.
 */
export function nameOf(text: string): string {
  const isName = /^[\w.@~/*?![\]{}+ -]{1,100}$/.test(text) && !/gh[pousr]_|github_pat_|AGE-[A-Z]+-/i.test(text);
  return isName ? text : "one whose name cannot be shown here";
}
