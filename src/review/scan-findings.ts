import type { Finding } from "../store/finding.ts";
import type { RuleCatalogue } from "./sarif.ts";
import type { ScanFinding } from "./scan-result.ts";
import { shortList } from "./short-list.ts";
import { tokenShapes } from "./token-shapes.ts";
import type { Encoding } from "./wanted-values.ts";

const ownRules = [
  { name: "own-value", describe: "A value that is sealed here stands in the open." },
  { name: "earlier-value", describe: "A value that was sealed here once stands in the open." },
] as const;

/** What findings of a scan may name as their rule. */
export const scanCatalogue: RuleCatalogue = {
  rules: [...ownRules, ...tokenShapes.map(({ name, title }) => ({ name, describe: `What looks like ${title}.` }))],
  pageOf: (name) => `docs/scan.md#${ownRules.some((rule) => rule.name === name) ? name : "token-shapes"}`,
};

/** Said after the address. */
const encodings = {
  plain: "",
  line: ", a line of it",
  "UTF-16": ", as UTF-16",
  base64: ", as base64",
  hex: ", as hexadecimal digits",
  URL: ", escaped for a URL",
  JSON: ", escaped for JSON",
} as const satisfies Record<Encoding, string>;

/** Name of the rule: `own-value`, `earlier-value`, or that of a token. */
export function ruleOf({ found }: ScanFinding): string {
  if (found.kind === "token") return found.shape.name;
  return found.needle.isEarlier ? "earlier-value" : "own-value";
}

/** What stands there, in a few words: the addresses of a value, or what kind of token it looks like. */
export function describeFound({ found }: ScanFinding): string {
  if (found.kind === "token") return `looks like ${found.shape.title}`;
  const { addresses, encoding, isEarlier } = found.needle;
  return `${isEarlier ? "an earlier value of " : ""}${shortList(addresses, 3)}${encodings[encoding]}`;
}

/** What to do about it. */
export function hintOf({ found }: ScanFinding): string {
  if (found.kind === "token") return "revoke it at its provider if it is real; put the next one into sealtree";
  const { addresses, isEarlier } = found.needle;
  if (isEarlier) return "make sure that its provider does not take it any more";
  return addresses.length > 3
    ? "sealtree rotate each of them"
    : addresses.map((it) => `sealtree rotate ${it}`).join("; ");
}

/** What to know of a finding in the history. */
export const historyWarning =
  "who has a clone has it: taking it out of the history does not take it back, a new value does";

/** A finding in the form that SARIF and annotations are made of. */
export function toFinding(scanned: ScanFinding): Finding {
  const { file, line, column, commit, found } = scanned;
  const isInForce = found.kind === "own-value" && !found.needle.isEarlier;
  const what = `${isInForce ? "the value of " : ""}${describeFound(scanned)}`;
  return {
    rule: ruleOf(scanned),
    severity: "error",
    message: [
      what,
      ...(line === undefined ? ["in the name of a file"] : []),
      ...(commit === undefined ? [] : [`in the history since ${commit.id.slice(0, 9)}`]),
    ].join(", "),
    file,
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
    hint: commit === undefined ? hintOf(scanned) : `${hintOf(scanned)}; ${historyWarning}`,
  };
}

/** A finding as `--json` prints it. */
export function toScanJson(scanned: ScanFinding) {
  const { file, line, column, commit, found } = scanned;
  const own = found.kind === "own-value" ? found.needle : undefined;
  return {
    kind: found.kind,
    rule: ruleOf(scanned),
    addresses: own?.addresses ?? [],
    encoding: own?.encoding.toLowerCase() ?? null,
    file,
    line: line ?? null,
    column: column ?? null,
    commit: commit?.id ?? null,
    committed_at: commit === undefined ? null : new Date(commit.atSeconds * 1000).toISOString(),
    hint: hintOf(scanned),
  };
}
