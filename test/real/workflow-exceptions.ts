/** A finding of a linter that stays, and why. */
export interface LintException {
  readonly tool: "actionlint" | "zizmor";
  /** The audit of zizmor, or a part of actionlint's message. */
  readonly finding: string;
  /** What the name of the file ends with, or begins with when it ends with `*`. */
  readonly file: string;
  readonly reason: string;
}

/** All there are. The test fails for a finding that is not here, and for an entry that nothing needs any more. */
export const lintExceptions: readonly LintException[] = [
  {
    tool: "actionlint",
    finding: 'unexpected key "queue" for "concurrency"',
    file: "*",
    reason:
      "GitHub has had queue: max since May 2026; actionlint 1.7.12 is older. Without it GitHub drops a waiting run for a newer one: an emergency for the nightly rotation.",
  },
  {
    tool: "zizmor",
    finding: "dangerous-triggers",
    file: "secrets-comment.yml",
    reason:
      "workflow_run is what GitHub has for a run with a token that writes, after one of a fork that has none. Nothing of the pull request is checked out, built or run, no artifact is read, and the Action reviews git objects and refuses a checkout that is not of the default branch.",
  },
  {
    tool: "zizmor",
    finding: "self-repository",
    file: "own/*",
    reason:
      "$/ takes the Action from GitHub at the commit of the workflow, where dist/action is not: it is built in the workspace by the step before.",
  },
  {
    tool: "zizmor",
    finding: "anonymous-definition",
    file: "docs-*",
    reason: "The examples of the documentation are short: their jobs have no names. What github-setup writes has them.",
  },
  {
    tool: "zizmor",
    finding: "undocumented-permissions",
    file: "docs-*",
    reason:
      "The text around an example says what its permissions are for. What github-setup writes says it at each of them.",
  },
];
