import { openRecord } from "../crypto/record.ts";
import type { Identity } from "../crypto/identity.ts";
import { fingerprintOf } from "../crypto/recipient.ts";
import { isSealtreeError } from "../errors.ts";
import type { Finding } from "../store/finding.ts";
import { generationPath } from "../store/layout.ts";
import { openGeneration, type OpenGeneration } from "../store/open-generation.ts";
import { findingOf } from "./finding-of.ts";
import type { ReviewedScope, ReviewState } from "./state.ts";

export interface DeepReview {
  readonly findings: readonly Finding[];
  /** How many records were opened, and how many are for others. */
  readonly opened: number;
  readonly closed: number;
}

/**
 * Opens every generation and record that the identities fit, keeps nothing of them, and says
 * what does not open although it should. A generation for other readers is no finding.
 */
export async function checkDeep(state: ReviewState, identities: readonly Identity[]): Promise<DeepReview> {
  const recipients = await Promise.all(identities.map(async (identity) => (await identity.recipient()).text));
  const own = new Set(recipients.map(fingerprintOf));
  const findings: Finding[] = [];
  let opened = 0;
  let closed = 0;
  for (const reviewed of state.scopes) {
    const generations = await openGenerations(reviewed, identities, own, findings);
    for (const [name, { generation }] of reviewed.headers) {
      const open = generations.get(generation);
      const entry = reviewed.entries.get(name);
      if (open === undefined || entry === undefined) {
        closed += 1;
        continue;
      }
      try {
        openRecord(open.dek, { scope: reviewed.scope, name, purpose: "value" }, entry.record);
        opened += 1;
      } catch (error) {
        if (!isSealtreeError(error)) throw error;
        findings.push(findingOf("deep", error, { file: reviewed.file, line: entry.line }));
      }
    }
  }
  return { findings, opened, closed };
}

async function openGenerations(
  { scope, keyring }: ReviewedScope,
  identities: readonly Identity[],
  own: ReadonlySet<string>,
  findings: Finding[],
): Promise<ReadonlyMap<string, OpenGeneration>> {
  const generations = new Map<string, OpenGeneration>();
  for (const file of keyring.values()) {
    const path = generationPath(scope, file.id);
    try {
      const open = await openGeneration(scope, file, identities);
      if (open !== undefined) generations.set(file.id, open);
      else if ([...file.wrappedFor.values()].flat().some((print) => own.has(print))) {
        findings.push({
          rule: "deep",
          severity: "error",
          message: "it lists you as a reader, and none of its stanzas is for you",
          file: path,
          hint: "sealtree rekey wraps it again, by somebody who can open it",
        });
      }
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      findings.push(findingOf("deep", error, { file: path }));
    }
  }
  return generations;
}
