import { describe, expect, it } from "vitest";
import { startProgress } from "../../src/cli/progress.ts";

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
