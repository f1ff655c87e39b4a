import type { Rule } from "../rule.ts";
import { attributes } from "./attributes.ts";
import { keyring } from "./keyring.ts";
import { noRotationRule } from "./no-rotation-rule.ts";
import { policy } from "./policy.ts";
import { postQuantum } from "./post-quantum.ts";
import { readerDrift } from "./reader-drift.ts";
import { record } from "./record.ts";
import { recovery } from "./recovery.ts";
import { scopeFile } from "./scope-file.ts";
import { staleRecord } from "./stale-record.ts";
import { strayFile } from "./stray-file.ts";
import { uncoveredScope } from "./uncovered-scope.ts";
import { unknownGeneration } from "./unknown-generation.ts";

/** Every check, in the order of docs/checks.md. */
export const rules = [
  policy,
  scopeFile,
  record,
  unknownGeneration,
  keyring,
  uncoveredScope,
  readerDrift,
  staleRecord,
  strayFile,
  postQuantum,
  recovery,
  attributes,
  noRotationRule,
] as const satisfies readonly Rule[];
