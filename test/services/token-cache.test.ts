import { describe, expect, it } from "vitest";
import { Secret } from "../../src/secret/secret.ts";
import { createTokenCache } from "../../src/services/token-cache.ts";

describe("a cache of a token", () => {
  const begin = (seconds: number | undefined) => {
    const state = { nowMs: 0, asked: 0, fails: false };
    const token = createTokenCache(
      () => {
        state.asked++;
        if (state.fails) return Promise.reject(new Error("test"));
        return Promise.resolve({ token: Secret.text(`test-${state.asked}`), seconds });
      },
      () => new Date(state.nowMs),
    );
    return { state, read: async () => (await token()).revealText() };
  };

  it("asks once for as long as the token is good, also when many ask at once", async () => {
    const { state, read } = begin(3600);
    expect(await Promise.all([read(), read()])).toEqual(["test-1", "test-1"]);
    state.nowMs = 3_400_000;
    expect(await read()).toBe("test-1");
    state.nowMs = 3_500_000;
    expect(await read()).toBe("test-2");
    expect(state.asked).toBe(2);
  });

  it("keeps one without an end", async () => {
    const { state, read } = begin(undefined);
    await read();
    state.nowMs = 1e12;
    expect(await read()).toBe("test-1");
  });

  it("asks again after a failure", async () => {
    const { state, read } = begin(3600);
    state.fails = true;
    await expect(read()).rejects.toThrow("test");
    state.fails = false;
    expect(await read()).toBe("test-2");
  });
});
