/** Every output that action.yml declares: counts, names of secrets and targets, paths, verdicts. Never a value. */
export const outputNames = [
  "errors",
  "warnings",
  "notices",
  "verdict",
  "count",
  "failed",
  "names",
  "file",
  "status",
  "commit",
  "pull-request",
  "issue",
] as const;
