import { isScopePattern, matchesPatterns } from "../access/scope-pattern.ts";
import { findPolicy, loadPolicy } from "../access/policy.ts";
import { SealtreeError } from "../errors.ts";
import { hasGit, type GitPlace } from "../git/place.ts";
import { findHead } from "../git/revision.ts";
import { findExposure, type Exposure, type ExposedValue } from "../history/exposure.ts";
import type { SubjectQuery } from "../history/exposure-subject.ts";
import { findWay, type RotationWay } from "../rotation/exposed.ts";
import type { RotationPolicy } from "../rotation/policy.ts";
import { openWorkTree } from "../store/work-tree.ts";
import type { Context } from "./context.ts";

export interface ExposureOptions {
  /** Reads the history of all refs. */
  readonly allRefs: boolean;
  /** Looks at the scopes of a pattern only. */
  readonly pattern?: string | undefined;
}

/** The exposure of somebody to what is in force in the repository of a command. Throws what findExposure throws, E_USAGE. */
export async function loadExposure(context: Context, who: SubjectQuery, options: ExposureOptions): Promise<Exposure> {
  const { pattern } = options;
  if (pattern !== undefined && !isScopePattern(pattern)) {
    throw new SealtreeError("E_USAGE", "that is not a scope pattern", { hints: ["such as prod/** or prod/api"] });
  }
  const place = requireHistory(context);
  const tree = openWorkTree(place.root);
  const policy = (await findPolicy(tree)).policy ?? (await loadPolicy(tree));
  const from = await findHead(place);
  const name = "name" in who ? who.name : "";
  const includes = pattern === undefined ? undefined : (scope: string) => matchesPatterns([pattern], scope, name);
  return await findExposure(place, { who, policy, tree, from, allRefs: options.allRefs, includes });
}

/** The repository of a command. Throws E_NO_REPOSITORY for a tree without git, which has no history. */
export function requireHistory(context: Context): GitPlace {
  const place = context.place();
  if (hasGit(place)) return place;
  throw new SealtreeError("E_NO_REPOSITORY", "the tree here is not a git repository, so it has no history", {
    hints: ["run it in a clone"],
  });
}

/** An exposed value as `--json` prints it. */
export function exposedJson(value: ExposedValue, policy: RotationPolicy) {
  const { scope, name, valueId, firstReadable, canStillRead, isStillWrapped, lost, place } = value;
  const way = findWay(policy, value);
  return {
    scope,
    name,
    value_id: valueId,
    set_at: new Date(value.createdAt * 1000).toISOString(),
    first_readable: firstReadable ?? null,
    can_still_read: canStillRead,
    is_still_wrapped: isStillWrapped,
    lost_access: lost ?? null,
    is_committed: place === "commit",
    rotation:
      way === undefined
        ? null
        : {
            rotator: way.rotator,
            owner: way.owner ?? null,
            runbook: way.runbook ?? null,
            is_automatic: way.isAutomatic,
          },
  };
}

/** Who gives an exposed value its successor, in a few words. */
export function sayWay(way: RotationWay | undefined): string {
  if (way === undefined) return "no rule: set it by hand";
  if (way.isAutomatic) return "sealtree rotates it";
  return [
    `a person rotates it${way.owner === undefined ? "" : `: ${way.owner}`}`,
    ...(way.runbook === undefined ? [] : [way.runbook]),
  ].join(", ");
}

/** Says what the history could not tell. */
export function sayGaps(context: Context, { warnings, isComplete }: Pick<Exposure, "warnings" | "isComplete">): void {
  for (const warning of warnings) context.say(`sealtree: warning: ${warning}`);
  if (!isComplete)
    context.say("sealtree: warning: the history here is not whole, so more may be exposed than is listed");
}
