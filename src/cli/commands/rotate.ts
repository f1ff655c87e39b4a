import { exitCodes, SealtreeError } from "../../errors.ts";
import { printAddress, type Address } from "../../secret/address.ts";
import { parseGeneratorSpec } from "../../rotation/generator-spec.ts";
import { rotateScopes } from "../../rotation/rotate.ts";
import { selectRotations, type NotRotated, type Selection, type Urgency } from "../../rotation/select.ts";
import { rotationStatus } from "../../rotation/status.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count } from "../present.ts";
import { reportRotation } from "../report-rotation.ts";
import { requireSecret } from "../require-secret.ts";
import { parseTarget } from "../target.ts";

export const rotate: CommandModule = {
  arguments: "[address-or-scope]",
  kind: "write",
  description:
    "Gives secrets new values by the rules of policies/rotation.yaml, one commit a scope. A secret or a scope is rotated now, due or not; --due takes what is due, --all everything, --exposed-to what somebody could ever read. What cannot be rotated is listed with the reason; the exit status is 8 when something due is among it. The old value stays in the history.",
  options: [
    { flags: "--due", description: "rotate what is due" },
    { flags: "--all", description: "rotate everything that has a rule" },
    { flags: "--exposed-to <member>", description: "rotate what somebody could ever read and is still in force" },
    { flags: "--emergency", description: "the present values are known to others: rotate whatever the schedule says" },
    {
      flags: "--generate <spec>",
      description: "make the value of one secret so, whatever its rule says: password:length=40",
    },
  ],
  examples: [
    { command: "sealtree rotate prod/api/SESSION_KEY", description: "one secret, asks first" },
    { command: "sealtree rotate --due --yes", description: "in a nightly job" },
    { command: "sealtree rotate prod/api --emergency --reason 'laptop lost' --yes", description: "a whole scope, now" },
  ],
  json: '{"rotated": [{"address", "commit": id|null}], "not_rotated": [{"address", "reason", "needed": boolean}], "unreadable": [{"scope", "code", "message"}], "without_rule": number, "dry_run": boolean}',
  async run(context, [text], options) {
    const urgency: Urgency = options["emergency"] === true ? "emergency" : "planned";
    const selection = await parseSelection(context, text, options, urgency);
    context.about({ operation: "rotate", ...subjectOf(selection) });
    if (selection.kind === "secret") await requireSecret(context, selection.address);
    const status = await rotationStatus(openWorkTree(context.place().root), context.io.now());
    const selected = selectRotations(status.entries, selection, urgency);
    const unreadable = status.unreadable.filter(({ scope }) => !("scope" in selection) || selection.scope === scope);
    const [refused] = selected.notRotated;
    if (selection.kind === "secret" && refused !== undefined) throw cannotRotate(selection.address, refused);
    const { rotations } = selected;
    if (rotations.length > 0) await context.confirm(`give ${count(rotations.length, "secret")} a new value?`);
    const scopes = await rotateScopes(context.session, rotations, { ...context.options, urgency });
    const [failed] = scopes.filter(({ error }) => error !== undefined);
    if (selection.kind === "secret" && failed?.error !== undefined) throw failed.error;
    const withoutRule = status.entries.filter(({ state }) => state === "no-rule").length;
    await reportRotation(context, { scopes, notRotated: selected.notRotated, unreadable, withoutRule, urgency });
    const isIncomplete =
      failed !== undefined ||
      unreadable.length > 0 ||
      (selection.kind === "exposed" && !selection.isComplete) ||
      selected.notRotated.some(({ isNeeded }) => isNeeded);
    return isIncomplete ? exitCodes.rotation : exitCodes.ok;
  },
};

async function parseSelection(
  context: Context,
  text: string | undefined,
  options: Readonly<Record<string, unknown>>,
  urgency: Urgency,
): Promise<Selection> {
  const exposedTo = options["exposedTo"];
  const asked = [text !== undefined, options["due"] === true, options["all"] === true, exposedTo !== undefined];
  if (asked.filter(Boolean).length !== 1) {
    throw new SealtreeError("E_USAGE", "give an address, a scope, --due, --all or --exposed-to, and one of them only", {
      hints: ["sealtree rotation plan shows what --due would do", "sealtree rotate --help shows how"],
    });
  }
  if (options["due"] === true && urgency === "emergency") {
    throw new SealtreeError("E_USAGE", "an emergency does not wait for what is due", {
      hints: ["sealtree rotate --all --emergency"],
    });
  }
  const spec = typeof options["generate"] === "string" ? parseGeneratorSpec(options["generate"]) : undefined;
  const target = text === undefined ? undefined : await parseTarget(openWorkTree(context.place().root), text);
  if (spec !== undefined && target?.kind !== "secret") {
    throw new SealtreeError("E_USAGE", "--generate makes the value of one secret", { hints: ["give its address"] });
  }
  if (typeof exposedTo === "string") return await selectExposed(context, exposedTo);
  if (target?.kind === "secret") return { ...target, spec };
  return target ?? { kind: options["due"] === true ? "due" : "all" };
}

async function selectExposed(context: Context, member: string): Promise<Selection> {
  const { loadExposure, sayGaps } = await import("../load-exposure.ts");
  const { valueKeys } = await import("../../rotation/exposed.ts");
  const exposure = await loadExposure(context, { name: member }, { allRefs: false });
  sayGaps(context, exposure);
  return { kind: "exposed", values: valueKeys(exposure), isComplete: exposure.isComplete };
}

function subjectOf(selection: Selection) {
  if (selection.kind === "secret") return selection.address;
  return selection.kind === "scope" ? { scope: selection.scope } : {};
}

function cannotRotate(address: Address, { entry, reason }: NotRotated): SealtreeError {
  const printed = printAddress(address);
  if (entry.rule === undefined) {
    return new SealtreeError("E_USAGE", `${printed} has ${reason}`, {
      hints: [
        `add one: ${printed}: { rotator: generate, options: { kind: password } }`,
        `or: sealtree rotate ${printed} --generate SPEC`,
      ],
    });
  }
  return new SealtreeError("E_ROTATION_NOT_DONE", `${printed} cannot be rotated by a program (${reason})`, {
    hints: ["get a new value from its provider", `then: sealtree set ${printed}`],
  });
}
