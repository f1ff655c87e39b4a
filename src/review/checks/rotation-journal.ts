import { parseRecordHeader } from "../../crypto/record.ts";
import { readSealedHeader } from "../../crypto/sealed-header.ts";
import { isSealtreeError } from "../../errors.ts";
import { isStuck, toFlight } from "../../rotation/flight.ts";
import type { Journal } from "../../rotation/journal.ts";
import type { SecretName } from "../../secret/address.ts";
import type { Finding } from "../../store/finding.ts";
import type { ScopeEntries } from "../../store/scope-file.ts";
import { findingOf } from "../../store/finding-of.ts";
import type { ReadJournal } from "../read-journals.ts";
import type { Rule } from "../rule.ts";

const rule = "rotation-journal";

export const rotationJournal: Rule = {
  name: rule,
  describe: "Every rotation in flight or in grace agrees with the value that is live, and somebody drives it.",
  mendedBy: "sealtree rotate --resume",
  checkScope: ({ scope, entries }, { journals, now }) =>
    (journals.get(scope) ?? []).flatMap((read) => checkJournal(read, entries, now.getTime())),
  checkTree({ journals, scopes }) {
    const homeless = [...journals].filter(([scope]) => !scopes.has(scope)).flatMap(([, list]) => list);
    return homeless.map(({ name, path }) => finding(path, "error", `it belongs to ${name}, and its scope is gone`));
  },
};

function checkJournal(read: ReadJournal, entries: ScopeEntries, nowMs: number): Finding[] {
  const { name, path } = read;
  if ("error" in read) return [findingOf(rule, read.error, { file: path })];
  const { journal } = read;
  const address = `${journal.address.scope}/${name}`;
  const found: Finding[] = [];
  if (!entries.has(name) && journal.base.get(name) !== null)
    found.push(
      finding(
        path,
        "error",
        `a rotation of ${name} is under way, and the secret is gone`,
        `sealtree rotate ${address} --abandon`,
      ),
    );
  for (const reverted of listReverted(journal, entries)) {
    const message = `${reverted} has the value from before its rotation again, which the provider ends when its grace is over`;
    found.push(
      finding(
        path,
        "error",
        message,
        `sealtree rollback ${address} --to previous tells the provider; or take the revert back`,
      ),
    );
  }
  for (const set of listSetSince(journal, entries)) {
    const message = `somebody set ${set} while it was being rotated`;
    found.push(finding(path, "error", message, `sealtree rotate ${address} --abandon keeps what was set`));
  }
  if (found.length === 0 && isStuck(toFlight(journal), nowMs))
    found.push(
      finding(
        path,
        "warning",
        `the rotation of ${name} has not gone on for more than a day`,
        "sealtree rotate --resume",
      ),
    );
  return found;
}

/** Secrets that hold the value again that the rotation replaced, as a git revert leaves them. */
function listReverted({ previous }: Journal, entries: ScopeEntries): SecretName[] {
  return [...(previous?.values ?? [])]
    .filter(([name, record]) => findValueId(entries, name) === parseRecordHeader(record).valueId)
    .map(([name]) => name);
}

/** Secrets that have another value than the rotation began with, before it has given them one. */
function listSetSince({ state, base, address }: Journal, entries: ScopeEntries): SecretName[] {
  if (state !== "claimed" && state !== "pending") return [];
  if (!entries.has(address.name)) return [];
  return [...base].filter(([name, valueId]) => findValueId(entries, name) !== valueId).map(([name]) => name);
}

/** Null for a secret that is not there; undefined for a record that is broken, which is another finding. */
function findValueId(entries: ScopeEntries, name: SecretName): string | null | undefined {
  const record = entries.get(name)?.record;
  if (record === undefined) return null;
  try {
    return readSealedHeader(record).valueId;
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}

function finding(file: string, severity: Finding["severity"], message: string, hint?: string): Finding {
  return { rule, severity, message, file, line: 1, ...(hint === undefined ? {} : { hint }) };
}
