import { describe, expect, it, onTestFinished } from "vitest";
import { isProviderFailure, type FailureClass } from "../../src/net/provider-failure.ts";
import type { ChosenProvider, Credential, MintedProvider, Provider } from "../../src/rotation/rotators/provider.ts";
import type { RotatorKind } from "../../src/rotation/rotators/rotator.ts";
import type { Secret } from "../../src/secret/secret.ts";

/** Which of the promises a rotator makes. */
export interface ContractTraits {
  readonly kind: Exclude<RotatorKind, "manual">;
  /** Whether old and new live side by side; true when left out. */
  readonly hasOverlap?: boolean;
  /** Whether it has `suspend` and `resume`. */
  readonly canSuspend?: boolean;
}

/** A credential of its own at a provider, for one test. */
export interface ContractSubject {
  readonly provider: Provider;
  /** The present values, which are let in. */
  readonly present: Readonly<Record<string, Secret>>;
  /** Values of the right form that are of nothing that the rule is about. */
  readonly strange: Readonly<Record<string, Secret>>;
  /** The same rule with a server that is not there. */
  readonly unreachable: () => Promise<Provider>;
  /** All that the provider wrote down, at its most verbose, or all that a strict fake was sent. */
  readonly logText: () => string | Promise<string>;
  /** Parts that are no secret and may stand in a log; the user when left out. */
  readonly publicParts?: readonly string[];
}

/** What the journal can hold as an id. */
const idPattern = /^[\x21-\x7e]{1,256}$/;

/**
 * The promises of src/rotation/rotators/provider.ts, as tests. `make` gives another subject each
 * time; its provider is closed here.
 */
export function provesContract(make: () => Promise<ContractSubject>, traits: ContractTraits): void {
  const hasOverlap = traits.hasOverlap ?? true;
  const begin = async (): Promise<Begun> => {
    const subject = await make();
    onTestFinished(async () => await subject.provider.close());
    const current = await subject.provider.identify(subject.present);
    if (current === undefined) throw new Error("the present values are not a credential at this provider");
    expect(subject.provider.kind).toBe(traits.kind);
    return { ...subject, current };
  };

  describe("the contract of a provider", () => {
    commonContract(begin, hasOverlap);
    if (traits.kind === "chosen") chosenContract(begin, hasOverlap);
    if (traits.kind === "minted") mintedContract(begin);
    if (traits.canSuspend === true) suspendContract(begin);
  });
}

type Begun = ContractSubject & { readonly current: Credential };
type Begin = () => Promise<Begun>;

function commonContract(begin: Begin, hasOverlap: boolean): void {
  it("lets a rotation begin, and leaves the present credential as it is", async () => {
    const { provider, current } = await begin();
    await provider.preflight(current);
    await provider.preflight(undefined);
    expect(await provider.probe(current)).toBe("live");
  });

  it("gives the same credential for the same values, with an id that a journal can hold", async () => {
    const { provider, present, current } = await begin();
    expect(current.id).toMatch(idPattern);
    expect((await provider.identify(present))?.id).toBe(current.id);
  });

  it("does not take for a credential what never was one", async () => {
    const { provider, strange } = await begin();
    expect(await provider.identify({})).toBeUndefined();
    expect(await provider.identify(strange)).toBeUndefined();
  });

  it("makes a new credential that is let in, and lets the old one in as long as it says", async () => {
    const { provider, current } = await begin();
    const next = await renew(provider, current);
    expect(next.id).toMatch(idPattern);
    expect(next.id).not.toBe(current.id);
    expect([await provider.probe(next), await provider.probe(current)]).toEqual(["live", hasOverlap ? "live" : "dead"]);
    expect((await provider.identify(next.parts))?.id).toBe(next.id);
  });

  it("ends the old credential and no other, and does not mind to be asked twice", async () => {
    const { provider, current } = await begin();
    const next = await renew(provider, current);
    await provider.revoke(current);
    await provider.revoke(current);
    expect([await provider.probe(current), await provider.probe(next)]).toEqual(["dead", "live"]);
  });

  it("goes on for three rotations, each from what the one before left", async () => {
    const { provider, current } = await begin();
    let last = current;
    for (const _ of ["first", "second", "third"]) {
      expect((await provider.identify(last.parts))?.id).toBe(last.id);
      await provider.preflight(last);
      const next = await renew(provider, last);
      await provider.revoke(last);
      expect([await provider.probe(last), await provider.probe(next)]).toEqual(["dead", "live"]);
      last = next;
    }
  });

  it("keeps every value out of what the provider writes down", async () => {
    const { provider, current, publicParts = ["user"], ...subject } = await begin();
    const next = await renew(provider, current);
    await provider.probe(next);
    await provider.revoke(current);
    const text = await subject.logText();
    expect(text).not.toBe("");
    const secrets = [current, next].flatMap(({ parts }) =>
      Object.entries(parts).filter(([name]) => !publicParts.includes(name)),
    );
    expect(secrets.length).toBeGreaterThan(1);
    expect(secrets.filter(([, secret]) => hasValue(text, secret)).map(([name]) => name)).toEqual([]);
  });

  it("says of a provider that is not there that it cannot be asked, and that nothing was done", async () => {
    const { current, ...subject } = await begin();
    const away = await subject.unreachable();
    onTestFinished(async () => await away.close());
    expect(await away.probe(current)).toBe("unknown");
    expect(await failureOf(away.preflight(current))).toBe("transient");
    expect(await failureOf(away.revoke(current))).toBe("transient");
  });
}

function chosenContract(begin: Begin, hasOverlap: boolean): void {
  const beginChosen = async () => {
    const subject = await begin();
    return { ...subject, provider: subject.provider as ChosenProvider };
  };

  it("gives an earlier value again when it was ended, and keeps the present one beside it where both can be", async () => {
    const { provider, current } = await beginChosen();
    const next = await renew(provider, current);
    await provider.revoke(current);
    expect(await provider.probe(current)).toBe("dead");
    const again = await provider.recall(current.parts, next);
    expect(again.id).toMatch(idPattern);
    await provider.apply(again, next);
    expect([await provider.probe(again), await provider.probe(next)]).toEqual(["live", hasOverlap ? "live" : "dead"]);
    expect((await provider.identify(again.parts))?.id).toBe(again.id);
    await provider.revoke(next);
    expect([await provider.probe(again), await provider.probe(next)]).toEqual(["live", "dead"]);
  });

  it("does not take for an earlier value what holds none", async () => {
    const { provider, current } = await beginChosen();
    expect(await failureOf(Promise.resolve().then(() => provider.recall({}, current)))).toBe("rejected");
  });

  it("chooses a value that is nowhere yet, another one each time", async () => {
    const { provider, current } = await beginChosen();
    const [one, other] = [await provider.choose(current), await provider.choose(current)];
    expect(hasSameParts(one, other)).toBe(false);
    expect([await provider.probe(one), await provider.probe(current)]).toEqual(["dead", "live"]);
  });

  it("applies one value twice as if it were once, also when the old one has ended", async () => {
    const { provider, current } = await beginChosen();
    const next = await provider.choose(current);
    await provider.apply(next, current);
    await provider.apply(next, current);
    expect([await provider.probe(next), await provider.probe(current)]).toEqual(["live", hasOverlap ? "live" : "dead"]);
    await provider.revoke(current);
    await provider.apply(next, current);
    expect([await provider.probe(current), await provider.probe(next)]).toEqual(["dead", "live"]);
  });

  it("says that nothing was applied when the provider is not there", async () => {
    const { provider, current, ...subject } = await beginChosen();
    const next = await provider.choose(current);
    const away = (await subject.unreachable()) as ChosenProvider;
    onTestFinished(async () => await away.close());
    expect(await failureOf(away.apply(next, current))).toBe("transient");
    expect([await provider.probe(next), await provider.probe(current)]).toEqual(["dead", "live"]);
  });
}

function mintedContract(begin: Begin): void {
  it("lists what it minted, knows its tag, and lists it no more when it is revoked", async () => {
    const { current, ...subject } = await begin();
    const provider = subject.provider as MintedProvider;
    const [before, startedAt, tag] = [await provider.inventory(), new Date(), "0123456789abcdef"];
    expect(before).toContain(current.id);
    const next = await provider.mint(tag);
    expect((await provider.inventory()).filter((id) => !before.includes(id))).toEqual([next.id]);
    expect(await provider.isTagged(next.id, tag, startedAt)).not.toBe(false);
    expect(await provider.isTagged(next.id, "fedcba9876543210", startedAt)).not.toBe(true);
    await provider.revoke(next);
    expect(await provider.inventory()).toEqual(before);
    expect(await provider.probe(current)).toBe("live");
  });
}

function suspendContract(begin: Begin): void {
  it("suspends a credential so that it can come back, each twice as if it were once", async () => {
    const { provider, current } = await begin();
    const next = await renew(provider, current);
    const look = async () => [await provider.probe(current), await provider.probe(next)];
    for (const _ of ["once", "twice"]) {
      await provider.suspend?.(current);
      expect(await look()).toEqual(["dead", "live"]);
    }
    for (const _ of ["once", "twice"]) {
      await provider.resume?.(current);
      expect(await look()).toEqual(["live", "live"]);
    }
    await provider.suspend?.(current);
    await provider.revoke(current);
    expect(await look()).toEqual(["dead", "live"]);
  });
}

/** The class of the ProviderFailure that a call ends with. */
export async function failureOf(call: Promise<unknown>): Promise<FailureClass> {
  try {
    await call;
  } catch (error) {
    if (isProviderFailure(error)) return error.class;
    throw error;
  }
  throw new Error("the call did not fail");
}

let tags = 0;

/** A new credential that is live, in the way of its kind. */
export async function renew(provider: Provider, current: Credential): Promise<Credential> {
  if (provider.kind === "rolled") return await provider.roll(current);
  if (provider.kind === "minted") return await provider.mint((++tags).toString(16).padStart(16, "0"));
  const next = await provider.choose(current);
  await provider.apply(next, current);
  return next;
}

/** As it is, or in one of the forms in which it could stand in a log. */
function hasValue(text: string, secret: Secret): boolean {
  const bytes = Buffer.from(secret.reveal());
  const plain = bytes.toString("utf8");
  const forms = [plain, encodeURIComponent(plain), bytes.toString("base64"), bytes.toString("hex")];
  return forms.some((form) => text.toLowerCase().includes(form.toLowerCase()));
}

function hasSameParts(one: Credential, other: Credential): boolean {
  return Object.entries(one.parts).every(([name, secret]) => other.parts[name]?.equals(secret) === true);
}
