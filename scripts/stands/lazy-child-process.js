/**
 * What commander gets for `node:child_process`. It starts programs only for commands that are
 * programs of their own, which sealtree has none of, and loading the real module costs about a
 * millisecond at every start.
 */
export function spawn(...args) {
  return process.getBuiltinModule("node:child_process").spawn(...args);
}
