import type { AccessChange, Reach } from "../review/report-access.ts";
import { countValues } from "../review/report-access.ts";
import type { SecretChange } from "../review/report-changes.ts";
import type { Report } from "../review/report.ts";
import { toJsonFinding } from "../review/print-findings.ts";

/** The report as `--json` prints it. */
export function reviewJson(report: Report) {
  const { findings, verification, deep } = report;
  return {
    verdict: report.verdict,
    reasons: report.reasons,
    base: report.base,
    head: report.head ?? null,
    scopes: report.scopes.map(({ scope, state, isWhole, comments, secrets }) => ({
      scope,
      state,
      is_whole: isWhole,
      comments,
      secrets: secrets.map((change) => changeJson(report, change)),
    })),
    access: report.access.map(accessJson),
    policy: report.policy,
    rotation: report.rotation.map(({ scope, name, kind, changes, isWeaker }) => ({
      scope,
      name,
      kind,
      changes,
      is_weaker: isWeaker,
    })),
    other_files: report.files,
    findings: {
      new: findings.new.map(toJsonFinding),
      fixed: findings.fixed.map(toJsonFinding),
      remaining: findings.remaining.map(toJsonFinding),
    },
    overdue: report.overdue,
    stale: report.stale,
    commits: report.commits.map(({ commit, author, at, trailer, subject }) => ({
      commit,
      author,
      at,
      reason: trailer ?? null,
      subject,
    })),
    verification:
      verification.state === "skipped"
        ? { state: "skipped", why: verification.why }
        : {
            state: "done",
            commits: verification.commits,
            signing: verification.signing,
            refused: verification.refused.map(({ commit, rule, severity, message, hint }) => ({
              commit: commit ?? null,
              rule,
              severity,
              message,
              hint,
            })),
          },
    deep: deep === undefined ? null : { opened: deep.opened, closed: deep.closed, remarks: deep.remarks },
    warnings: report.warnings,
  };
}

function changeJson(report: Report, change: SecretChange) {
  const { commit, earlier, rotation } = report.originOf(change);
  const { name, kind, before, after, from } = change;
  return {
    name,
    kind,
    value_id: after?.valueId ?? null,
    value_id_before: before?.valueId ?? null,
    set_at: after === undefined || after.valueId === undefined ? null : new Date(after.createdAt * 1000).toISOString(),
    is_drop: after?.isDrop === true,
    is_adopted: change.isAdopted,
    is_unproven: change.isUnproven,
    from: from === undefined ? null : { scope: from.scope, name: from.name },
    earlier_commit: earlier ?? null,
    commit: commit?.commit ?? null,
    author: commit?.author ?? null,
    reason: commit?.trailer ?? null,
    rotation:
      rotation === undefined
        ? null
        : {
            state: rotation.state,
            interval_ms: rotation.intervalMs ?? null,
            due_at: rotation.dueAtMs === undefined ? null : new Date(rotation.dueAtMs).toISOString(),
          },
  };
}

function accessJson({ name, kind, byPolicy, byKeyrings, stillKnown }: AccessChange) {
  return {
    name,
    kind,
    by_policy: byPolicy === undefined ? null : { gained: reachJson(byPolicy.gained), lost: reachJson(byPolicy.lost) },
    by_keyrings: { gained: reachJson(byKeyrings.gained), lost: reachJson(byKeyrings.lost) },
    still_known: reachJson(stillKnown),
  };
}

function reachJson(reach: Reach) {
  return { values: countValues(reach), by_scope: Object.fromEntries(reach) };
}
