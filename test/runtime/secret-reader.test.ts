import { describe, expect, it } from "vitest";
import { isSealtreeError, SealtreeError } from "../../src/errors.ts";
import { ProviderFailure } from "../../src/net/provider-failure.ts";
import { closeGate, createReader, fakeProvider } from "./fake-provider.ts";

const address = "prod/api/KEY";
const other = "prod/api/OTHER";
const outage = new ProviderFailure("transient", "the service is not there");

/** All that was asked of promises so far is done. */
const settled = async () => await new Promise<void>((resolve) => void setImmediate(resolve));

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return isSealtreeError(error) ? error.code : "no error of ours";
  }
  return "none";
}

describe("a cached read", () => {
  it("asks no source until its time is over, and then asks again", async () => {
    const provider = fakeProvider("vault", { [address]: "first" });
    const { reader, clock } = createReader([provider]);
    await reader.get(address);
    clock.advance(59_999);
    expect((await reader.get(address)).revealText()).toBe("first");
    expect(provider.calls).toHaveLength(1);
    provider.values.set(address, "second");
    clock.advance(1);
    expect((await reader.get(address)).revealText()).toBe("second");
    expect(provider.calls).toHaveLength(2);
  });

  it("is not kept when the cache is off", async () => {
    const provider = fakeProvider("vault", { [address]: "first" });
    const { reader } = createReader([provider], { cacheMs: 0 });
    await reader.get(address);
    await reader.get(address);
    expect(provider.calls).toHaveLength(2);
    expect(reader.metrics().entries).toBe(0);
  });

  it("is asked for anew after invalidate, of one address or of all", async () => {
    const provider = fakeProvider("vault", { [address]: "a", [other]: "b" });
    const { reader } = createReader([provider]);
    await Promise.all([reader.get(address), reader.get(other)]);
    reader.invalidate(address);
    await Promise.all([reader.get(address), reader.get(other)]);
    expect(provider.calls).toEqual([[address, other], [address]]);
    reader.invalidate();
    await Promise.all([reader.get(address), reader.get(other)]);
    expect(provider.calls.at(-1)).toEqual([address, other]);
  });

  it("does not put back what was read before invalidate and came after it", async () => {
    const provider = fakeProvider("vault", { [address]: "old" });
    const { reader } = createReader([provider]);
    const open = closeGate(provider);
    const slow = reader.get(address);
    await settled();
    reader.invalidate();
    open();
    await slow;
    provider.values.set(address, "new");
    expect((await reader.get(address)).revealText()).toBe("new");
  });

  it("answers every read around an invalidate in the same turn", async () => {
    const provider = fakeProvider("vault", { [address]: "v" });
    const { reader } = createReader([provider]);
    const first = reader.get(address);
    reader.invalidate();
    const secrets = await Promise.all([first, reader.get(address)]);
    expect(secrets.map((secret) => secret.revealText())).toEqual(["v", "v"]);
    expect(provider.calls).toHaveLength(2);
  });

  it("is read anew by refresh also while an older read is on its way", async () => {
    const provider = fakeProvider("vault", { [address]: "old" });
    const { reader, clock } = createReader([provider]);
    await reader.get(address);
    clock.advance(60_000);
    const open = closeGate(provider);
    const slow = reader.get(address);
    await settled();
    provider.gate = undefined;
    provider.values.set(address, "new");
    expect(await reader.refresh()).toEqual([address]);
    provider.values.set(address, "old");
    open();
    await slow;
    expect((await reader.get(address)).revealText()).toBe("new");
  });

  it("drops what was not used for longest when there is no more room", async () => {
    const names = ["A", "B", "C"].map((name) => `prod/api/${name}`);
    const provider = fakeProvider("vault", Object.fromEntries(names.map((name) => [name, "v"])));
    const { reader } = createReader([provider], { maxEntries: 2 });
    for (const name of ["A", "B", "A", "C", "A"]) await reader.get(`prod/api/${name}`);
    expect(provider.calls).toEqual(names.map((name) => [name]));
    expect(reader.metrics()).toMatchObject({ entries: 2, evictions: 1 });
  });
});

describe("reads at the same time", () => {
  it("of one address are one call", async () => {
    const provider = fakeProvider("vault", { [address]: "v" });
    const { reader } = createReader([provider]);
    const open = closeGate(provider);
    const first = reader.get(address);
    await settled();
    const more = [reader.get(address), reader.get(address)];
    open();
    await Promise.all([first, ...more]);
    expect(provider.calls).toEqual([[address]]);
  });

  it("of many addresses are one call", async () => {
    const provider = fakeProvider("vault", { [address]: "v", [other]: "w" });
    const { reader } = createReader([provider]);
    await Promise.all([reader.get(address), reader.get(other)]);
    expect(provider.calls).toEqual([[address, other]]);
  });
});

describe("what is not there", () => {
  it("is E_SECRET_NOT_FOUND with the sources that were asked, and is looked for again each time", async () => {
    const [vault, file] = [fakeProvider("vault"), fakeProvider(".env.test")];
    const { reader } = createReader([vault, file]);
    await expect(reader.get(address)).rejects.toThrow("no secret prod/api/KEY in vault, .env.test");
    vault.values.set(address, "now");
    expect((await reader.get(address)).revealText()).toBe("now");
  });

  it("is forgotten when it was there before", async () => {
    const vault = fakeProvider("vault", { [address]: "v" });
    const { reader, clock } = createReader([vault]);
    await reader.get(address);
    vault.values.clear();
    clock.advance(60_000);
    expect(await codeOf(reader.get(address))).toBe("E_SECRET_NOT_FOUND");
    expect(reader.metrics().entries).toBe(0);
  });
});

describe("the precedence of sources", () => {
  it("takes a value from the first that has it", async () => {
    const [first, second] = [
      fakeProvider("first", { [address]: "1" }),
      fakeProvider("second", { [address]: "2", [other]: "2" }),
    ];
    const { reader } = createReader([first, second]);
    const secrets = await Promise.all([reader.get(address), reader.get(other)]);
    expect(secrets.map(({ source }) => source)).toEqual(["first", "second"]);
    expect(second.calls).toEqual([[other]]);
  });

  it("passes over a source that cannot be reached, and keeps such an answer for a short time only", async () => {
    const [first, second] = [fakeProvider("first", { [address]: "1" }), fakeProvider("second", { [address]: "2" })];
    first.failure = outage;
    const { reader, clock } = createReader([first, second]);
    expect((await reader.get(address)).source).toBe("second");
    first.failure = undefined;
    clock.advance(10_000);
    expect((await reader.get(address)).source).toBe("first");
  });

  it("never passes over data that is not right", async () => {
    const [first, second] = [fakeProvider("first"), fakeProvider("second", { [address]: "2" })];
    first.failure = new SealtreeError("E_RECORD_INTEGRITY", "the record was changed");
    const { reader } = createReader([first, second]);
    expect(await codeOf(reader.get(address))).toBe("E_RECORD_INTEGRITY");
    expect(second.calls).toEqual([]);
  });

  it("says what a source failed with when nobody has the value", async () => {
    const [first, second] = [fakeProvider("first"), fakeProvider("second")];
    first.failure = outage;
    const { reader } = createReader([first, second]);
    await expect(reader.get(address)).rejects.toMatchObject({
      code: "E_PROVIDER",
      message: "first (transient): the service is not there",
    });
  });
});

describe("a source that fails after it answered", () => {
  it("has its last value handed out until the limit, and no longer", async () => {
    const vault = fakeProvider("vault", { [address]: "kept" });
    const { reader, clock } = createReader([vault], { staleMs: 120_000 });
    await reader.get(address);
    vault.failure = outage;
    clock.advance(60_000);
    expect((await reader.get(address)).revealText()).toBe("kept");
    expect(reader.staleEntries).toBe(1);
    clock.advance(120_000);
    expect(await codeOf(reader.get(address))).toBe("E_PROVIDER");
  });

  it("is left alone for a time before it is asked again", async () => {
    const vault = fakeProvider("vault", { [address]: "kept" });
    const { reader, clock } = createReader([vault]);
    await reader.get(address);
    vault.failure = outage;
    clock.advance(60_000);
    await reader.get(address);
    clock.advance(9_999);
    await reader.get(address);
    expect(vault.calls).toHaveLength(2);
    clock.advance(1);
    await reader.get(address);
    expect(vault.calls).toHaveLength(3);
    expect(reader.metrics().results).toEqual({ hit: 0, miss: 1, stale: 3, error: 0 });
  });

  it("keeps its last value before that of a source with less precedence", async () => {
    const [vault, file] = [fakeProvider("vault", { [address]: "right" }), fakeProvider("file", { [address]: "wrong" })];
    const { reader, clock } = createReader([vault, file]);
    await reader.get(address);
    vault.failure = outage;
    clock.advance(60_000);
    expect((await reader.get(address)).revealText()).toBe("right");
  });

  it("hands nothing out beyond its time when that is turned off", async () => {
    const vault = fakeProvider("vault", { [address]: "kept" });
    const { reader, clock } = createReader([vault], { staleMs: 0 });
    await reader.get(address);
    vault.failure = outage;
    clock.advance(60_000);
    expect(await codeOf(reader.get(address))).toBe("E_PROVIDER");
  });
});

describe("onRotated", () => {
  it("is called with the address when a look on the timer finds another value", async () => {
    const vault = fakeProvider("vault", { [address]: "one" });
    const { reader, clock } = createReader([vault]);
    await reader.get(address);
    const told: string[] = [];
    reader.onRotated(address, (it) => told.push(it));
    vault.values.set(address, "two");
    clock.advance(60_000);
    await settled();
    expect(told).toEqual([address]);
    expect((await reader.get(address)).revealText()).toBe("two");
  });

  it("is called also for a value set anew to the same bytes, by its id", async () => {
    const vault = fakeProvider("vault", { [address]: "same" });
    vault.ids.set(address, "aaaaaaaaaaaaaaaa");
    const { reader } = createReader([vault]);
    const told: string[] = [];
    reader.onRotated(address, (it) => told.push(it));
    await settled();
    expect(await reader.refresh()).toEqual([]);
    vault.ids.set(address, "bbbbbbbbbbbbbbbb");
    expect(await reader.refresh()).toEqual([address]);
    await settled();
    expect(told).toEqual([address]);
  });

  it("works without a cache, and for a secret that was not read before", async () => {
    const vault = fakeProvider("vault", { [address]: "one" });
    const { reader } = createReader([vault], { cacheMs: 0 });
    const told: string[] = [];
    reader.onRotated(address, (it) => told.push(it));
    await settled();
    vault.values.set(address, "two");
    await reader.get(address);
    await settled();
    expect(told).toEqual([address]);
  });

  it("stops, and its timer with the last of them", async () => {
    const vault = fakeProvider("vault", { [address]: "one" });
    const { reader, clock } = createReader([vault]);
    const told: string[] = [];
    const stop = reader.onRotated(address, (it) => told.push(it));
    await settled();
    expect(clock.timers).toBe(1);
    stop();
    vault.values.set(address, "two");
    await reader.refresh();
    await settled();
    expect(told).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it("counts a listener that throws, and calls the others", async () => {
    const vault = fakeProvider("vault", { [address]: "one" });
    const { reader } = createReader([vault]);
    const told: string[] = [];
    reader.onRotated(address, () => {
      throw new Error("listener of the test");
    });
    reader.onRotated(address, async () => await Promise.reject(new Error("listener of the test")));
    reader.onRotated(address, (it) => told.push(it));
    await settled();
    vault.values.set(address, "two");
    await reader.refresh();
    await settled();
    expect(told).toEqual([address]);
    expect(reader.metrics()).toMatchObject({ rotations: 1, listenerFailures: 2 });
  });
});

describe("a closed reader", () => {
  it("holds no value, has no timer and refuses reads", async () => {
    const vault = fakeProvider("vault", { [address]: "one" });
    const { reader, clock } = createReader([vault]);
    reader.onRotated(address, () => undefined);
    await reader.get(address);
    await reader.close();
    expect(reader.metrics().entries).toBe(0);
    expect(clock.timers).toBe(0);
    expect(await codeOf(reader.get(address))).toBe("E_USAGE");
  });
});

describe("failures", () => {
  it("hold no value that is known, in any of its forms", async () => {
    const value = 'canary "value" 1/2+3';
    const vault = fakeProvider("vault", { [address]: value });
    const { reader, clock } = createReader([vault], { staleMs: 0 });
    await reader.get(address);
    for (const form of [
      value,
      JSON.stringify(value),
      encodeURIComponent(value),
      Buffer.from(value).toString("base64"),
    ]) {
      vault.failure = new ProviderFailure("rejected", `refused ${form} here`, { hints: [`look at ${form}`] });
      clock.advance(60_000);
      const error: unknown = await reader.get(address).catch((thrown: unknown) => thrown);
      const said = isSealtreeError(error) ? [error.message, ...error.hints].join("\n") : "";
      expect(said).toContain("[masked]");
      expect(said).not.toContain("canary");
      expect(said).not.toContain(Buffer.from(value).toString("base64"));
      vault.failure = undefined;
      await reader.get(address);
    }
  });

  it("repeat nothing of an error that is not ours, nor its cause", async () => {
    const vault = fakeProvider("vault");
    vault.failure = new Error("password=canary-of-a-driver", { cause: "canary" });
    const { reader } = createReader([vault]);
    const error: unknown = await reader.get(address).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "E_PROVIDER",
      message: "vault failed in a way that is not known",
    });
    expect(error instanceof Error && "cause" in error).toBe(false);
  });
});
