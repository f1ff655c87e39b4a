import { createHash } from "node:crypto";
import type { Finding } from "../store/finding.ts";
import { reportedNames, rules } from "./checks/registry.ts";

/** Levels of SARIF (section 3.27.10). */
const levels = { error: "error", warning: "warning", notice: "note" } as const satisfies Record<
  Finding["severity"],
  string
>;

/** What findings may name as their rule. */
export interface RuleCatalogue {
  readonly rules: readonly { readonly name: string; readonly describe: string }[];
  /** Where a rule is explained, such as `docs/checks.md#stale-record`. */
  pageOf(name: string): string;
}

const checkCatalogue: RuleCatalogue = {
  rules: [...rules, ...reportedNames],
  pageOf: (name) => `docs/checks.md#${name}`,
};

/**
 * Findings as a SARIF 2.1.0 log of one run. A file is relative to the root of the repository;
 * the fingerprint of a result stays when lines move and numbers in its message change.
 */
export function toSarif(findings: readonly Finding[], version: string, catalogue: RuleCatalogue = checkCatalogue) {
  const described = catalogue.rules.map(({ name, describe }) => ({ name, describe }));
  const indexes = new Map(described.map(({ name }, index) => [name, index]));
  const fingerprintOf = fingerprints();
  return {
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "sealtree",
            semanticVersion: version,
            rules: described.map(({ name, describe }) => ({
              id: name,
              shortDescription: { text: describe },
              help: { text: `${catalogue.pageOf(name)} says what it means and what to do.` },
            })),
          },
        },
        columnKind: "utf16CodeUnits",
        originalUriBaseIds: { "%SRCROOT%": { description: { text: "The root of the repository." } } },
        results: findings.map((finding) => ({
          ruleId: finding.rule,
          ruleIndex: indexes.get(finding.rule) ?? -1,
          level: levels[finding.severity],
          message: { text: finding.hint === undefined ? finding.message : `${finding.message}\n${finding.hint}` },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: toUri(finding.file), uriBaseId: "%SRCROOT%" },
                region: {
                  startLine: finding.line ?? 1,
                  ...(finding.column === undefined ? {} : { startColumn: finding.column }),
                },
              },
            },
          ],
          partialFingerprints: { "sealtreeFinding/v1": fingerprintOf(finding) },
        })),
      },
    ],
  };
}

/** A path as a relative URI (RFC 3986, section 4.2). Half a surrogate pair, which no URI can hold, is replaced. */
function toUri(path: string): string {
  return Buffer.from(path, "utf8").toString("utf8").split("/").map(encodeURIComponent).join("/");
}

/** Gives each finding a fingerprint of its own: rule, file, words, and which of those that are alike it is. */
function fingerprints(): (finding: Finding) => string {
  const seen = new Map<string, number>();
  return ({ rule, file, message }) => {
    const words = [rule, file, message.replaceAll(/\d+/g, "#")].join("\0");
    const before = seen.get(words) ?? 0;
    seen.set(words, before + 1);
    return createHash("sha256").update(`${words}\0${before}`).digest("hex").slice(0, 32);
  };
}
