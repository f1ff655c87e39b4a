import { checkAllowed } from "../access/permission.ts";
import { nowSeconds } from "../access/session.ts";
import { hasCode, isSealtreeError, SealtreeError } from "../errors.ts";
import { printAddress, type SecretName } from "../secret/address.ts";
import { planPublicHalf } from "./public-half.ts";
import type { Edit, Made } from "./rotation-branch.ts";
import { toFailure, type RotationOutcome } from "./rotation-outcome.ts";
import type { RotationRun } from "./rotation-run.ts";
import type { RotationView } from "./rotation-view.ts";
import type { RotationResult } from "./run-rotations.ts";
import type { Rotation, Urgency } from "./select.ts";

/**
 * Gives secrets that no provider knows new values, in one commit that the remote's branch of the
 * run has when this resolves. One that cannot be sealed does not stop the others, and a value that
 * somebody else set in the meantime is left alone. Where the remote does not take the commit,
 * nothing is done, and each outcome says so.
 */
export async function recordGenerated(
  run: RotationRun,
  rotations: readonly Rotation[],
  urgency: Urgency,
): Promise<RotationResult[]> {
  const outcomes = new Map<Rotation, RotationOutcome>();
  const edits = new Map<Edit, Rotation>();
  for (const rotation of rotations) {
    try {
      const edit = await toEdit(run, rotation, urgency);
      // What cannot be made here must not keep the others out of their common commit.
      await edit.make(run.branch.view());
      edits.set(edit, rotation);
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      outcomes.set(rotation, toFailure(error, false));
    }
  }
  try {
    const recorded = edits.size === 0 ? new Map<never, never>() : await run.branch.record([...edits.keys()]);
    for (const [edit, rotation] of edits) {
      const made = recorded.get(edit);
      outcomes.set(rotation, made?.kind === "lost" ? toFailure(made.error, false) : done);
    }
  } catch (error) {
    if (!hasCode(error, "E_PUSH_REFUSED", "E_NETWORK", "E_RACED", "E_MERGE_CONFLICT")) throw error;
    for (const rotation of edits.values()) outcomes.set(rotation, toFailure(error, false));
  }
  return rotations.flatMap((rotation) => {
    const outcome = outcomes.get(rotation);
    return outcome === undefined ? [] : [{ address: rotation.entry.address, outcome }];
  });
}

const done: RotationOutcome = { kind: "rotated", graceUntilMs: undefined };

async function toEdit(run: RotationRun, { entry, draw, spec }: Rotation, urgency: Urgency): Promise<Edit> {
  const { session } = run;
  const { address, rule, record } = entry;
  const { scope, name } = address;
  const first = run.branch.view();
  checkAllowed(await first.policy(), await first.member(), "rotate", scope);
  const secret = await draw(session);
  const madeAt = session.now();
  const origin = { valueId: Buffer.from(session.random(8)).toString("hex"), createdAt: nowSeconds(session) };
  const make = async (view: RotationView): Promise<Made> => {
    const { open, sealer } = await view.scope(scope);
    if (open.entries.get(name)?.record !== record) {
      throw new SealtreeError("E_RACED", `somebody set ${printAddress(address)} just now`, {
        hints: ["run the command again, if it is due still"],
      });
    }
    const records = new Map<SecretName, string>([[name, await sealer.seal(name, origin, secret)]]);
    return {
      journal: undefined,
      records,
      alongside: await planPublicHalf(view.tree, rule, { address, secret, spec, madeAt }),
    };
  };
  return {
    address,
    verb: "rotate",
    reason: urgency === "emergency" ? "emergency" : "rotation",
    before: undefined,
    make,
  };
}
