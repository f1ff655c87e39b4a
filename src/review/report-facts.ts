import type { RangeCommit } from "../git/commit-range.ts";
import type { Address } from "../secret/address.ts";
import type { AccessChange } from "./report-access.ts";
import type { ScopeChange } from "./report-changes.ts";
import type { DeepLook } from "./report-deep.ts";
import type { FindingChanges } from "./report-findings.ts";
import type { PolicyChange } from "./report-policy.ts";
import type { RotationOutlook, RuleChange } from "./report-rotation.ts";
import type { RangeVerification } from "./report-verify.ts";

/** What a history and the rotation policy tell of a secret that changed. */
export interface ChangeOrigin {
  /** The commit that made it what it is; undefined for what is not committed. */
  readonly commit: RangeCommit | undefined;
  /** Id of the last commit up to the base that brought this value; only of what was rolled back. */
  readonly earlier: string | undefined;
  /** Undefined for what is removed. */
  readonly rotation: RotationOutlook | undefined;
}

/** All that is known of a change, before it is judged. */
export interface ReportFacts {
  /** Full id of the commit that the head is compared with. */
  readonly base: string;
  /** False when the histories parted in several places, of which `base` is any: a merge may then do what is not seen from it. */
  readonly isBaseClear: boolean;
  /** Full id; undefined for the work tree. */
  readonly head: string | undefined;
  /** By name; scopes in which nothing changed are left out. */
  readonly scopes: readonly ScopeChange[];
  readonly access: readonly AccessChange[];
  readonly policy: readonly PolicyChange[];
  readonly rotation: readonly RuleChange[];
  /** Other files below `policies/` that changed, as paths. */
  readonly files: readonly string[];
  readonly findings: FindingChanges;
  /** How many secrets of the whole head are overdue for rotation, and stale. */
  readonly overdue: number;
  readonly stale: number;
  /** The commits of the range that touch secrets or policies, parents before children. */
  readonly commits: readonly RangeCommit[];
  readonly verification: RangeVerification;
  /** Undefined when no identity looked. */
  readonly deep: DeepLook | undefined;
  /** What could not be looked at, one sentence each. */
  readonly warnings: readonly string[];
  originOf(change: Address): ChangeOrigin;
}
