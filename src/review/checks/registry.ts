import type { Rule } from "../rule.ts";
import { attributes } from "./attributes.ts";
import { deployPolicy } from "./deploy-policy.ts";
import { drop } from "./drop.ts";
import { generatedFile } from "./generated-file.ts";
import { hostileAttributes } from "./hostile-attributes.ts";
import { keyringAppendOnly } from "./keyring-append-only.ts";
import { keyring } from "./keyring.ts";
import { machineScope } from "./machine-scope.ts";
import { noRotationRule } from "./no-rotation-rule.ts";
import { policyVersion } from "./policy-version.ts";
import { policy } from "./policy.ts";
import { postQuantum } from "./post-quantum.ts";
import { readerDrift } from "./reader-drift.ts";
import { record } from "./record.ts";
import { recovery } from "./recovery.ts";
import { removedMember } from "./removed-member.ts";
import { requiredName } from "./required-name.ts";
import { rotationDue } from "./rotation-due.ts";
import { rotationJournal } from "./rotation-journal.ts";
import { rotationOverdue } from "./rotation-overdue.ts";
import { rotationPolicy } from "./rotation-policy.ts";
import { scopeFile } from "./scope-file.ts";
import { staleRecord } from "./stale-record.ts";
import { strayFile } from "./stray-file.ts";
import { uncoveredScope } from "./uncovered-scope.ts";
import { unknownGeneration } from "./unknown-generation.ts";
import { unmatchedPattern } from "./unmatched-pattern.ts";
import { unreadableScope } from "./unreadable-scope.ts";
import { unusedRole } from "./unused-role.ts";

/** Every check, in the order of docs/checks.md. */
export const rules = [
  policy,
  policyVersion,
  removedMember,
  unmatchedPattern,
  unusedRole,
  machineScope,
  recovery,
  postQuantum,
  scopeFile,
  record,
  unknownGeneration,
  keyring,
  keyringAppendOnly,
  uncoveredScope,
  unreadableScope,
  readerDrift,
  staleRecord,
  drop,
  requiredName,
  rotationPolicy,
  noRotationRule,
  rotationOverdue,
  rotationDue,
  rotationJournal,
  deployPolicy,
  strayFile,
  attributes,
  hostileAttributes,
  generatedFile,
] as const satisfies readonly Rule[];

/** Names under which rules above, and `check --deep`, report what belongs to one kind of file or work. */
export const reportedNames = [
  { name: "policy-schema", describe: "policies/access.yaml follows its schema; unknown fields are errors." },
  { name: "member-file", describe: "A key file holds one public key a line, and nothing else." },
  { name: "schema", describe: "policies/schema.yaml follows its own schema." },
  { name: "deep", describe: "With --deep: what your identity should open opens." },
  { name: "reference", describe: "With --deep: what values refer to is there, and for all of their readers." },
  { name: "live", describe: "With --live: the providers let the values in." },
] as const;
