import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import type { OpenTarget } from "../../src/deploy/targets/target.ts";
import { findCanaries } from "./canary.ts";
import type { ApiFault, DescribedApi } from "./fakes/described-api.ts";
import { inspectByName, itemOf, recordProgress, targetFailure, writeAll } from "./target-contract.ts";

/** A target at a fake of its service, for one test. */
export interface HttpTargetSubject {
  readonly api: DescribedApi;
  /** Connects with the right token, or with another. */
  open(token?: string, timeoutMs?: number): Promise<OpenTarget>;
  /** The operation that looks, as the fake names it. */
  readonly look: string;
  /** The operation that writes a new value, and one that writes over it where that is another. */
  readonly write: string;
  readonly rewrite?: string;
  /** Names that the target takes; `ALPHA` and `BETA` when left out. */
  readonly names?: readonly [string, string];
}

const canary = "contract-canary-5v1t";

/** What every target behind an HTTP API promises when the API fails, as tests. */
export function describesHttpTarget(make: () => Promise<HttpTargetSubject>): void {
  const begin = async (token?: string, timeoutMs?: number) => {
    const subject = await make();
    onTestFinished(subject.api.stop);
    const target = await subject.open(token, timeoutMs);
    onTestFinished(async () => await target.close());
    const [alpha, beta] = subject.names ?? ["ALPHA", "BETA"];
    const write = async (text: string) => {
      const writes = [itemOf(alpha, text)];
      await target.apply({ writes, removes: [], wanted: writes }, recordProgress());
    };
    return { ...subject, target, alpha, beta, put: write };
  };
  const limited: ApiFault = { status: 429, headers: { "retry-after": "7" } };

  describe("the contract of a target behind an API", () => {
    it("is not let in with a wrong or expired credential, whatever it asks", async () => {
      const { target, alpha, put, api, write } = await begin("test-wrong");
      expect((await targetFailure(target.inspect([alpha]))).class).toBe("auth");
      expect((await targetFailure(put(canary))).class).toBe("auth");
      expect(api.requests.filter((it) => it === write).length).toBeLessThanOrEqual(1);
    });

    it("says when a later try may work, and that nothing was done", async () => {
      const { target, alpha, put, api, look, write } = await begin();
      api.failNext(look, limited);
      expect(await targetFailure(target.inspect([alpha]))).toMatchObject({ class: "transient", retryAfterMs: 7000 });
      await target.inspect([alpha]);
      api.failNext(write, limited);
      expect(await targetFailure(put(canary))).toMatchObject({ class: "transient", retryAfterMs: 7000 });
      await put(canary);
      expect((await inspectByName(target, [alpha])).has(alpha)).toBe(true);
    });

    it("tells a failed look from a write of which nobody knows", async () => {
      const { target, alpha, put, api, look, write } = await begin();
      api.failNext(look, { status: 500 });
      expect((await targetFailure(target.inspect([alpha]))).class).toBe("transient");
      await target.inspect([alpha]);
      api.failNext(write, { status: 500 });
      expect((await targetFailure(put(canary))).class).toBe("unknown");
      await put(canary);
      expect((await inspectByName(target, [alpha])).has(alpha)).toBe(true);
    });

    it("does again what was done and not answered", async () => {
      const { target, alpha, put, api, write, rewrite } = await begin();
      await target.inspect([alpha]);
      api.failNext(write, "lost answer");
      expect((await targetFailure(put(canary))).class).toBe("unknown");
      await writeAll(target, { [alpha]: canary });
      api.failNext(rewrite ?? write, "lost answer");
      expect((await targetFailure(writeAll(target, { [alpha]: `${canary}-new` }))).class).toBe("unknown");
      expect((await writeAll(target, { [alpha]: `${canary}-new` })).doneNames).toEqual([alpha]);
    });

    it("repeats nothing of what the service says", async () => {
      const { target, alpha, api, look, write } = await begin();
      const words = { status: 400, json: { message: canary, errors: [{ code: 1, message: canary }] } };
      api.failNext(look, words);
      const refused = await targetFailure(target.inspect([alpha]));
      expect(findCanaries(inspect(refused, { depth: 9 }), [canary])).toEqual([]);
      await target.inspect([alpha]);
      api.failNext(write, words);
      const progress = recordProgress();
      const writes = [itemOf(alpha, "test")];
      const thrown = await target
        .apply({ writes, removes: [], wanted: writes }, progress)
        .catch((error: unknown) => error);
      const failure = progress.failures.get(alpha) ?? thrown;
      expect(failure).toMatchObject({ class: "rejected" });
      expect(findCanaries(inspect(failure, { depth: 9 }), [canary])).toEqual([]);
    });

    it("does not wait for ever", async () => {
      const { target, alpha, put, api, look, write } = await begin(undefined, 300);
      api.failNext(look, "silence");
      expect((await targetFailure(target.inspect([alpha]))).class).toBe("transient");
      await target.inspect([alpha]);
      api.failNext(write, "silence");
      expect((await targetFailure(put(canary))).class).toBe("unknown");
    });

    it("puts no value into an address", async () => {
      const { target, alpha, beta, api } = await begin();
      await writeAll(target, { [alpha]: `${canary}-one`, [beta]: `${canary}-two` });
      await writeAll(target, { [alpha]: `${canary}-new` });
      expect(findCanaries(api.addresses.join("\n"), [canary])).toEqual([]);
    });
  });
}
