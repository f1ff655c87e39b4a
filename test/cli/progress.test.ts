import { describe, expect, it } from "vitest";
import { startProgress, withProgress } from "../../src/cli/progress.ts";
import type { Io } from "../../src/cli/io.ts";

function collect(isTTY: boolean, columns?: number) {
  let text = "";
  const write = (chunk: string | Uint8Array) => {
    text += String(chunk);
    return true;
  };
  return { stream: { write, isTTY, ...(columns === undefined ? {} : { columns }) }, written: () => text };
}

describe("startProgress", () => {
  it("writes nothing but to a terminal", () => {
    const { stream, written } = collect(false);
    const progress = startProgress(stream);
    progress.show("1 of 2");
    progress.end();
    expect(written()).toBe("");
  });

  it("replaces its line, keeps within it, and takes it away at the end", () => {
    const { stream, written } = collect(true, 6);
    const progress = startProgress(stream);
    progress.show("1 of 10");
    progress.show("2");
    progress.end();
    expect(written()).toBe("\r\u001b[2K1 of \r\u001b[2K2\r\u001b[2K");
  });
});

describe("withProgress", () => {
  const contextOf = (stream: ReturnType<typeof collect>["stream"]) => ({ io: { stderr: stream } as unknown as Io });
  const work = async (stream: ReturnType<typeof collect>["stream"], total: number) =>
    await withProgress(contextOf(stream), async (onProgress) => {
      onProgress({ phase: "sealing", done: total / 2, total });
      onProgress({ phase: "writing", done: total, total });
      onProgress({ phase: "committing", done: 0, total: 0 });
      return await Promise.resolve("done");
    });

  it("shows a bar with the phase and how much is done, and takes it away", async () => {
    const { stream, written } = collect(true, 80);
    expect(await work(stream, 500)).toBe("done");
    expect(written().split("\r\u001b[2K")).toEqual([
      "",
      "sealing    [############------------] 250 of 500 scopes",
      "writing    [########################] 500 of 500 files",
      "committing",
      "",
    ]);
  });

  it("shows nothing for a few scopes, and nothing but to a terminal", async () => {
    const [few, pipe] = [collect(true, 80), collect(false)];
    await work(few.stream, 2);
    await work(pipe.stream, 500);
    expect(few.written() + pipe.written()).toBe("\r\u001b[2K");
  });

  it("takes the bar away when the work fails", async () => {
    const { stream, written } = collect(true, 80);
    const failing = withProgress(contextOf(stream), async (onProgress) => {
      onProgress({ phase: "opening", done: 1, total: 9 });
      return await Promise.reject(new Error("test"));
    });
    await expect(failing).rejects.toThrow("test");
    expect(written().endsWith("\r\u001b[2K")).toBe(true);
  });
});
