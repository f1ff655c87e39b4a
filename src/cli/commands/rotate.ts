import { checkInitialised } from "../../access/policy.ts";
import { exitCodes, hasCode, SealtreeError } from "../../errors.ts";
import { printAddress, type Address } from "../../secret/address.ts";
import { parseGeneratorSpec } from "../../rotation/generator-spec.ts";
import { rotateScopes } from "../../rotation/rotate.ts";
import { isAtProvider, selectRotations, type NotRotated, type Selection, type Urgency } from "../../rotation/select.ts";
import { rotationStatus, type StatusEntry } from "../../rotation/status.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import { listFlights } from "../../rotation/flight.ts";
import { failureError } from "../../rotation/rotation-outcome.ts";
import { isBranchName } from "../../git/remote-branch.ts";
import { bindProvider } from "../../rotation/rotators/registry.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count } from "../present.ts";
import { isOpen } from "../report-providers.ts";
import { findRotatedDependents, reportRotation } from "../report-rotation.ts";
import { isGeneratedThere, reportUnasked, rotateAtProviders, type ProviderRotation } from "../rotate-at-providers.ts";
import { requireSecret } from "../require-secret.ts";
import { parseTarget } from "../target.ts";

/** How many rotations a run begins at providers unless told otherwise. */
const maxBegun = 500;

export const rotate: CommandModule = {
  arguments: "[address-or-scope]",
  kind: "write",
  description:
    "Gives secrets new values by the rules of policies/rotation.yaml, one commit a scope, or with --push in commits that the remote's branch has when it is done. A secret or a scope is rotated now, due or not; --due takes what is due, --all everything, --exposed-to what somebody could ever read. What cannot be rotated is listed with the reason; the exit status is 8 when something due is among it. The old value stays in the history.",
  options: [
    { flags: "--due", description: "rotate what is due, and end what is out of grace" },
    { flags: "--all", description: "rotate everything that has a rule" },
    { flags: "--exposed-to <member>", description: "rotate what somebody could ever read and is still in force" },
    { flags: "--resume", description: "go on with what is in flight, end what is out of grace, begin nothing" },
    { flags: "--abandon", description: "give up the rotation of one secret that is in flight; its value stays" },
    { flags: "--limit <number>", description: "begin so many rotations at providers at most (500)" },
    {
      flags: "--branch <name>",
      description: "record on this branch of the remote, for a pull request into the present one",
    },
    {
      flags: "--push",
      description: "record generated values on the remote's branch too, as what is rotated at a provider is",
    },
    { flags: "--no-deploy", description: "do not send new values to their targets now" },
    { flags: "--emergency", description: "the present values are known to others: rotate whatever the schedule says" },
    {
      flags: "--markdown",
      description: "print the report as Markdown, for a job summary or an issue; with --json as a field of it",
    },
    { flags: "--keep-grace", description: "in an emergency, let the old credentials live on for their grace" },
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
  json: '{"rotated": [{"address", "commit": id|null}], "not_rotated": [{"address", "reason", "needed": boolean}], "unreadable": [{"scope", "code", "message"}], "at_providers": [{"address", "outcome": "rotated"|"ended"|"suspended"|"abandoned"|"in grace"|"busy"|"refused"|"ready"|"failed", "until"?: time, "reason"?, "targets"?: [name], "remarks"?: [text], "class"?, "code"?, "message"?, "in_flight"?: boolean, "hints"?: [text]}], "postponed": [address], "targets": [{"target", "in_order": boolean, "reasons": [text]}], "branch": name|null, "trunk": name|null, "unmerged": {"values": [address], "graces": [address], "steps": [address]}|null, "dependents": [{"address", "dependents": [address]}], "without_rule": number, "dry_run": boolean, "markdown"?: text}',
  async run(context, [text], options) {
    await checkInitialised(openWorkTree(context.place().root));
    const urgency: Urgency = options["emergency"] === true ? "emergency" : "planned";
    const selection = await parseSelection(context, text, options, urgency);
    context.about({ operation: "rotate", ...subjectOf(selection) });
    if (selection.kind === "secret") await requireSecret(context, selection.address);
    const mode: ProviderRotation["mode"] =
      options["abandon"] === true ? "abandon" : options["resume"] === true ? "resume" : "rotate";
    const tree = openWorkTree(context.place().root);
    const status = await rotationStatus(tree, context.io.now());
    const selected = selectRotations(status.entries, selection, urgency);
    const unreadable = status.unreadable.filter(({ scope }) => !("scope" in selection) || selection.scope === scope);
    const [refused] = selected.notRotated;
    if (selection.kind === "secret" && refused !== undefined && mode === "rotate")
      throw cannotRotate(selection.address, refused);
    const forMerge = await parseBranch(context, options["branch"], mode);
    const rotations = mode !== "rotate" ? [] : selected.rotations;
    const atProvider = mode !== "rotate" ? [] : selected.atProvider;
    await confirmAll(context, rotations.length + atProvider.length, atProvider);
    const isBegun = mode !== "rotate" || selection.kind === "due" || selection.kind === "all";
    // What is in flight may be news to this clone: the remote knows.
    const isAsked = mode !== "rotate" && status.entries.some(isAtProvider);
    const places = { forMerge, pushes: options["push"] === true };
    const isRecordedThere = isGeneratedThere(places);
    const hasProviders =
      forMerge !== undefined ||
      atProvider.length > 0 ||
      isAsked ||
      (isRecordedThere && rotations.length > 0) ||
      (isBegun && (await listFlights(tree)).size > 0);
    const asked = {
      selection,
      urgency,
      mode,
      keepsGrace: options["keepGrace"] === true,
      ...places,
      deploys: options["deploy"] !== false,
      limit: parseLimit(options["limit"]),
    };
    const providers = hasProviders
      ? await rotateAtProviders(context, asked).catch(async (error: unknown) => {
          if (!hasCode(error, "E_NETWORK") || !places.pushes || selection.kind === "secret") throw error;
          const entries = [...rotations.map(({ entry }) => entry), ...atProvider];
          return await reportUnasked(
            context,
            error,
            entries.map(({ address }) => address),
          );
        })
      : undefined;
    const [result] = providers?.results ?? [];
    if (selection.kind === "secret" && result?.outcome.kind === "failed") throw failureError(result.outcome);
    const here = isRecordedThere ? [] : rotations;
    const scopes = await rotateScopes(context.session, here, { ...context.options, urgency });
    const [failed] = scopes.filter(({ error }) => error !== undefined);
    if (selection.kind === "secret" && failed?.error !== undefined) throw failed.error;
    const withoutRule = status.entries.filter(({ state }) => state === "no-rule").length;
    const notRotated = mode !== "rotate" ? [] : selected.notRotated;
    const format = options["markdown"] === true ? "markdown" : "words";
    const dependents = await findRotatedDependents(context, { scopes, providers });
    const report = { scopes, notRotated, unreadable, withoutRule, urgency, providers, dependents };
    await reportRotation(context, { ...report, format });
    const isIncomplete =
      providers?.results.some(({ outcome }) => isOpen(outcome)) === true ||
      [...(providers?.delivery?.targets.values() ?? [])].some((target) => target.isRequired && !target.isInOrder) ||
      failed !== undefined ||
      unreadable.length > 0 ||
      (selection.kind === "exposed" && !selection.isComplete) ||
      notRotated.some(({ isNeeded }) => isNeeded);
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
  const isResume = options["resume"] === true;
  if (
    isResume &&
    (options["due"] === true || options["all"] === true || exposedTo !== undefined || urgency === "emergency")
  ) {
    throw new SealtreeError("E_USAGE", "--resume begins nothing, so it goes alone, or with an address or a scope", {
      hints: ["sealtree rotate --resume", "sealtree rotate --due goes on with what is in flight too"],
    });
  }
  if (asked.filter(Boolean).length !== 1 && !(isResume && text === undefined)) {
    throw new SealtreeError("E_USAGE", "give an address, a scope, --due, --all or --exposed-to, and one of them only", {
      hints: ["sealtree rotation plan shows what --due would do", "sealtree rotate --help shows how"],
    });
  }
  if (options["due"] === true && urgency === "emergency") {
    throw new SealtreeError("E_USAGE", "an emergency does not wait for what is due", {
      hints: ["sealtree rotate --all --emergency"],
    });
  }
  if (options["abandon"] === true && (isResume || text === undefined || urgency === "emergency")) {
    throw new SealtreeError("E_USAGE", "--abandon is for one secret, by its address", {
      hints: ["sealtree rotation status shows what is in flight"],
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

/** Asks once for everything, and says aloud what ends before its successor is there. */
async function confirmAll(context: Context, total: number, atProvider: readonly StatusEntry[]): Promise<void> {
  if (total === 0) return;
  for (const { address, rule } of atProvider) {
    const outage = rule === undefined ? undefined : bindProvider(rule.rotator, rule.options)?.outage;
    if (outage !== undefined) context.say(`${printAddress(address)}: ${outage}`);
  }
  const where =
    atProvider.length === 0
      ? ""
      : `, ${atProvider.length === total ? "" : `${atProvider.length} of them `}at its provider`;
  await context.confirm(`give ${count(total, "secret")} a new value${where}?`);
}

async function parseBranch(
  context: Context,
  written: unknown,
  mode: ProviderRotation["mode"],
): Promise<string | undefined> {
  if (typeof written !== "string") return undefined;
  if (mode === "abandon" || !(await isBranchName(context.place(), written))) {
    throw new SealtreeError("E_USAGE", "--branch takes the name of a branch, and goes with a rotation", {
      hints: ["sealtree rotate --due --branch sealtree/rotation"],
    });
  }
  return written;
}

function parseLimit(written: unknown): number {
  if (written === undefined) return maxBegun;
  if (typeof written === "string" && /^[1-9][0-9]{0,5}$/.test(written)) return Number(written);
  throw new SealtreeError("E_USAGE", "--limit takes a number, such as 50", {
    hints: ["sealtree rotate --due --limit 50"],
  });
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
