import { checkAllowed } from "../access/permission.ts";
import { SealtreeError } from "../errors.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { journalPath } from "../store/layout.ts";
import { readText } from "../store/tree.ts";
import { abandonRotation } from "./abandon-rotation.ts";
import { beginRotation } from "./begin-rotation.ts";
import { endPrevious } from "./end-previous.ts";
import { rotationNotOver } from "./flight.ts";
import { parseJournal, type Journal, type PreviousCredential } from "./journal.ts";
import { hasLanded } from "./journal-values.ts";
import { makeCredential } from "./make-credential.ts";
import { ruleFor } from "./policy.ts";
import { openProvider, requireProviderRule, type ProviderRule } from "./open-provider.ts";
import { ProviderCalls } from "./provider-calls.ts";
import { provePending } from "./prove-pending.ts";
import { toFailure, type RotationOutcome } from "./rotation-outcome.ts";
import { isLeaseLongEnough, leaseOf, newLease, type RotationRun } from "./rotation-run.ts";
import type { Edit, Made } from "./rotation-branch.ts";
import type { RotationRequest } from "./rotation-request.ts";
import type { RotationView } from "./rotation-view.ts";
import type { Credential, Provider } from "./rotators/provider.ts";
import { takeBack } from "./take-back.ts";

/** One step is either something to record, with what the job comes to when that is done, or the end. */
export type Step =
  | { readonly edit: Edit; readonly outcome?: RotationOutcome | undefined }
  | { readonly edit?: undefined; readonly outcome: RotationOutcome };

/** A provider and the rule by which it is used. */
export interface Connection extends ProviderRule {
  readonly provider: Provider;
  readonly calls: ProviderCalls;
}

/** The journal as a step found it. */
interface FoundJournal {
  readonly journal: Journal;
  /** As it is written, to tell whether it is the same still. */
  readonly text: string;
}

/** How long after it was asked last the remote is asked again before a provider is. */
const fenceAfterMs = 15_000;

/**
 * The rotation of one secret, step by step. Every step begins with what the remote branch says and
 * ends with something to record there, so that any run can go on where another one stopped: there
 * is no other way to recover.
 */
export class RotationJob {
  readonly run: RotationRun;
  readonly request: RotationRequest;
  /** Undefined until a step needed the provider. */
  #connection: Connection | undefined;
  #found: FoundJournal | undefined;
  /** True when no provider was asked for anything since this job recorded the state that it is in. */
  isUntouched = false;
  /** What the provider has made and no branch has yet. */
  minted: Credential | undefined;
  /** False when a new value was begun, or one that was in flight will do. */
  needsNew: boolean;
  hasRotated = false;
  #lost: SealtreeError | undefined;

  constructor(run: RotationRun, request: RotationRequest) {
    this.run = run;
    this.request = request;
    this.needsNew = request.wants === "new value" || request.wants === "earlier value";
  }

  get address(): Address {
    return this.request.address;
  }

  get isEmergency(): boolean {
    return this.request.urgency === "emergency";
  }

  /** Why a new rotation begins. */
  get reason(): Journal["reason"] {
    return this.isEmergency ? "emergency" : this.request.earlier === undefined ? "rotation" : "rollback";
  }

  /** True where programs have a new value only after a pull request is merged. */
  get isForMerge(): boolean {
    return this.run.branch.trunk !== undefined;
  }

  /** When a grace that is given now is over. One that awaits a merge is counted from the start of the rotation until then. */
  graceEnd(journal: Journal, graceMs: number): Pick<PreviousCredential, "revokeAfterMs" | "awaitsMerge"> {
    const startMs = this.isForMerge ? journal.startedAtMs : this.run.session.now().getTime();
    return { revokeAfterMs: startMs + graceMs, awaitsMerge: this.isForMerge };
  }

  /** True where the old credential of the value that this job gives is ended without a grace. */
  get endsAtOnce(): boolean {
    return this.isEmergency && this.request.keepsGrace !== true;
  }

  /** What is next, by what `view` says. Throws only what is a bug. */
  async step(view: RotationView): Promise<Step> {
    try {
      const text = await readText(view.tree, journalPath(this.address));
      this.#found = text === undefined ? undefined : { journal: parseJournal(Buffer.from(text), this.address), text };
      if (this.#lost !== undefined) return await this.#leave(this.#lost);
      return this.#found === undefined ? await this.#withoutJournal(view) : await this.#goOn(view, this.#found);
    } catch (error) {
      return this.#fail(error);
    }
  }

  /** True when the next step is the last one: what this job was to record did not fit any more. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Says that the edit of the last step did not fit any more. */
  lose(error: SealtreeError): void {
    this.#lost = error;
  }

  /** The rule and the provider, connected on first use. Throws E_PERMISSION_DENIED, and as {@link openProvider} does. */
  async connect(view: RotationView): Promise<Connection> {
    checkAllowed(await view.policy(), await view.member(), "rotate", this.address.scope);
    const own = await requireProviderRule(this.run, view, this.address);
    const known = this.#connection;
    if (known !== undefined) return { ...known, ...own };
    const provider = await openProvider(this.run, view, this.address, own);
    this.#connection = { ...own, provider, calls: new ProviderCalls(provider, () => this.#fence(), this.run.retry) };
    return this.#connection;
  }

  async close(): Promise<void> {
    await this.#connection?.provider.close();
    this.#connection = undefined;
  }

  /** An edit of the journal that was found, or of none. */
  edit(verb: string, make: (view: RotationView) => Promise<Made>): Edit {
    return {
      address: this.address,
      verb,
      reason: this.isEmergency ? "emergency" : (this.#found?.journal.reason ?? this.reason),
      before: this.#found?.text,
      make,
    };
  }

  async #withoutJournal(view: RotationView): Promise<Step> {
    if (this.needsNew) return await beginRotation(this, view);
    if (this.request.wants === "previous value") throw nothingThere(this.address);
    return { outcome: this.hasRotated ? { kind: "rotated", graceUntilMs: undefined } : { kind: "ended" } };
  }

  async #goOn(view: RotationView, found: FoundJournal): Promise<Step> {
    const { journal } = found;
    const { lease, previous } = journal;
    if (this.request.wants === "earlier value" && this.needsNew)
      throw rotationNotOver(this.address, [
        "sealtree rotation status shows until when; then run the command again",
        `the value before the present one can come back now: sealtree rollback ${printAddress(this.address)} --to previous`,
      ]);
    const hold = leaseOf(this.run, journal);
    if (hold === "taken") return { outcome: { kind: "busy", untilMs: lease?.untilMs ?? 0 } };
    const isInGrace = previous !== undefined && previous.revokeAfterMs > this.run.session.now().getTime();
    const { wants } = this.request;
    const isOver = this.hasRotated || (wants !== "previous value" && wants !== "abandon");
    if (previous?.awaitsMerge === true && isOver) {
      if (!(await hasLanded(view, journal)))
        return {
          outcome: this.hasRotated ? { kind: "rotated", graceUntilMs: "after merge" } : { kind: "awaits merge" },
        };
      return {
        edit: this.edit("begin the grace of", () => Promise.resolve({ journal: this.#beginGrace(journal, previous) })),
      };
    }
    if (isInGrace && isOver && !(this.hasRotated ? this.endsAtOnce : this.isEmergency)) {
      const untilMs = previous.revokeAfterMs;
      return { outcome: this.hasRotated ? { kind: "rotated", graceUntilMs: untilMs } : { kind: "in grace", untilMs } };
    }
    if (previous !== undefined && isOver) {
      const wait = await this.#awaitDelivery(view, journal, previous);
      if (wait !== undefined) return wait;
    }
    if (hold !== "ours") {
      const leased = { ...journal, lease: newLease(this.run) };
      if (hold === "free") this.isUntouched = false;
      return { edit: this.edit("go on rotating", () => Promise.resolve({ journal: leased })) };
    }
    await this.#checkRotator(view, journal);
    if (wants === "abandon") return await abandonRotation(this, view, journal);
    if (wants === "previous value" && !this.hasRotated) return await takeBack(this, view, journal);
    if (journal.state === "claimed") return await makeCredential(this, view, journal);
    if (journal.state === "pending") return await provePending(this, view, journal);
    return await endPrevious(this, view, journal);
  }

  /** What keeps the old credential from being ended: a target that does not have the new one, or has it only now. */
  async #awaitDelivery(view: RotationView, journal: Journal, previous: PreviousCredential): Promise<Step | undefined> {
    const { scope } = this.address;
    const addresses = [...journal.base.keys()].map((name) => ({ scope, name }));
    const state = await this.run.delivery?.deliver(view, addresses);
    if (state === undefined || (state.behind.length === 0 && (!state.isNew || this.endsAtOnce))) return undefined;
    const isReleased = journal.lease?.holder !== this.run.holder;
    if (state.behind.length > 0) {
      const hints = [`sealtree deploy ${state.behind.join(" ")}`, "then: sealtree rotate --resume"];
      const outcome: RotationOutcome = { kind: "awaits delivery", targets: state.behind, hints };
      if (isReleased) return { outcome };
      return this.#release(journal, outcome);
    }
    const graceMs = ruleFor(await view.rules(), this.address)?.graceMs ?? 0;
    const untilMs = this.run.session.now().getTime() + graceMs;
    const begun = { ...journal, lease: undefined, previous: { ...previous, revokeAfterMs: untilMs } };
    return {
      edit: this.edit("begin the grace of", () => Promise.resolve({ journal: begun })),
      outcome: { kind: "in grace", untilMs },
    };
  }

  /** Programs can have the new value from now on. */
  #beginGrace(journal: Journal, previous: PreviousCredential): Journal {
    const graceMs = previous.revokeAfterMs - journal.startedAtMs;
    const revokeAfterMs = this.run.session.now().getTime() + graceMs;
    return { ...journal, previous: { ...previous, revokeAfterMs, awaitsMerge: false } };
  }

  /** What one rotator has begun another cannot end. */
  async #checkRotator(view: RotationView, journal: Journal): Promise<void> {
    const { rule } = await requireProviderRule(this.run, view, this.address);
    if (rule.rotator === journal.rotator) return;
    throw new SealtreeError(
      "E_ROTATION_IN_FLIGHT",
      `the rule of ${printAddress(this.address)} changed to ${rule.rotator} while ${journal.rotator} was at work`,
      { hints: [`put ${journal.rotator} back until this rotation is over, then change it`] },
    );
  }

  /** Throws E_RACED unless the journal is ours still, and will be until a call that begins now is over. */
  async #fence(): Promise<void> {
    const found = this.#found;
    // What is left to do for a lost job is about what nobody else knows of.
    if (found === undefined || this.isLost) return;
    const { branch } = this.run;
    if (branch.ageMs() > fenceAfterMs) await branch.sync();
    const isSame = (await readText(branch.view().tree, journalPath(this.address))) === found.text;
    if (isSame && isLeaseLongEnough(this.run, found.journal)) return;
    throw new SealtreeError("E_RACED", `the rotation of ${printAddress(this.address)} is not this run's any more`, {
      hints: ["nothing is lost: run the command again, and it goes on where it was"],
    });
  }

  /** A credential that was made and not recorded is known to nobody but this job. */
  async #leave(error: SealtreeError): Promise<Step> {
    const { minted } = this;
    this.minted = undefined;
    if (minted !== undefined && this.#connection?.provider.kind === "minted") {
      const { calls, provider } = this.#connection;
      await calls.change("revoke", true, () => provider.revoke(minted));
    }
    return this.#fail(error);
  }

  /** The end of a job that failed. What it holds is let go, so that the next run need not wait. */
  #fail(error: unknown): Step {
    const found = this.#found;
    const failure = toFailure(error, found !== undefined);
    return found?.journal.lease?.holder === this.run.holder
      ? this.#release(found.journal, failure)
      : { outcome: failure };
  }

  /** Lets go of a rotation that is not over. */
  #release(journal: Journal, outcome: RotationOutcome): Step {
    const released = { ...journal, lease: undefined };
    return { edit: this.edit("stop rotating", () => Promise.resolve({ journal: released })), outcome };
  }
}

function nothingThere(address: Address): SealtreeError {
  return new SealtreeError("E_ROLLBACK_REFUSED", `the credential before the one of ${printAddress(address)} is ended`, {
    hints: [`its value would let nobody in; take a new one: sealtree rotate ${printAddress(address)}`],
  });
}
