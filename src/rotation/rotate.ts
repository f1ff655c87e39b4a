import type { Session } from "../access/session.ts";
import { errorCatalogue, isSealtreeError, SealtreeError } from "../errors.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import type { FileChange, WriteOptions, WriteOutcome } from "../store/write.ts";
import type { ChangeSummary, ValueChange } from "../values/change-scope.ts";
import { writeValues } from "../values/write-values.ts";
import { planPublicHalf } from "./public-half.ts";
import type { Rotation, Urgency } from "./select.ts";

export interface RotateOptions extends WriteOptions {
  readonly urgency: Urgency;
  readonly note?: string | undefined;
}

/** What became of the secrets of one scope: all have new values in one commit, or none. */
export interface RotatedScope {
  readonly scope: ScopePath;
  readonly rotations: readonly Rotation[];
  readonly outcome: WriteOutcome<readonly ChangeSummary[]> | undefined;
  /** Why nothing was written; undefined when `outcome` is there. */
  readonly error: SealtreeError | undefined;
}

/**
 * Gives secrets new values, scope by scope, one commit each. A scope that cannot be written
 * does not stop the others, unless it is for a reason that holds for all of them. A value
 * that somebody else set in the meantime is left alone: E_RACED.
 */
export async function rotateScopes(
  session: Session,
  rotations: readonly Rotation[],
  options: RotateOptions,
): Promise<RotatedScope[]> {
  const done: RotatedScope[] = [];
  let stopped: SealtreeError | undefined;
  for (const scope of new Set(rotations.map(({ entry }) => entry.address.scope))) {
    const own = rotations.filter(({ entry }) => entry.address.scope === scope);
    try {
      if (stopped !== undefined) throw stopped;
      done.push({ scope, rotations: own, outcome: await rotateScope(session, scope, own, options), error: undefined });
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      if (concernsAll(error)) stopped = error;
      done.push({ scope, rotations: own, outcome: undefined, error });
    }
  }
  return done;
}

async function rotateScope(session: Session, scope: ScopePath, rotations: readonly Rotation[], options: RotateOptions) {
  const reason = options.urgency === "emergency" ? "emergency" : "rotation";
  const { commit, dryRun, note } = options;
  const outcome = await writeValues(
    session,
    { commit, dryRun, note, verb: "rotate", reason, action: "rotate" },
    async (tree) => {
      const changes = new Map<SecretName, ValueChange>();
      const alongside: FileChange[] = [];
      for (const { entry, draw, spec } of rotations) {
        const secret = await draw(session);
        changes.set(entry.address.name, { action: "set", secret });
        const made = { address: entry.address, secret, spec, madeAt: session.now() };
        alongside.push(...(await planPublicHalf(tree, entry.rule, made)));
      }
      const expected = new Map(rotations.map(({ entry }) => [entry.address.name, entry.record]));
      return [{ scope, changes, expected, alongside }];
    },
  );
  if (outcome.result.some(({ unchanged }) => unchanged.length > 0)) {
    throw new SealtreeError("E_ROTATION_NOT_DONE", `a new value in ${scope} is the same as the old one`, {
      hints: ["run the command again; if it stays so, the system's random source is broken"],
    });
  }
  return outcome;
}

function concernsAll(error: SealtreeError): boolean {
  return (
    ["E_LOCKED", "E_OPERATION_IN_PROGRESS", "E_GIT_IDENTITY", "E_NO_IDENTITY", "E_NO_REPOSITORY"].includes(
      error.code,
    ) || errorCatalogue[error.code] === "provider"
  );
}
