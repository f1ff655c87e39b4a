import { isSealtreeError, SealtreeError } from "../errors.ts";

/** What a workflow gives a step that git's remote does not let in. */
export const remoteAccess: readonly string[] = [
  'in a job: env: { GITHUB_TOKEN: "${{ github.token }}" }',
  "in a job: permissions: { contents: write }",
];

/** {@link remoteAccess} for the code of a failure to reach the remote or to push to it; nothing for another. */
export function remoteHints(code: string): readonly string[] {
  return code === "E_NETWORK" || code === "E_PUSH_REFUSED" ? remoteAccess : [];
}

/** Throws `error` again, with {@link remoteHints} added to its own. */
export function throwWithRemoteHints(error: unknown): never {
  if (!isSealtreeError(error) || remoteHints(error.code).length === 0) throw error;
  throw new SealtreeError(error.code, error.message, { hints: [...error.hints, ...remoteHints(error.code)] });
}
