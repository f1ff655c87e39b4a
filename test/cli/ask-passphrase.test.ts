import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { askNewPassphrase, createAskPassphrase, type PassphraseSource } from "../../src/cli/ask-passphrase.ts";
import { processIo } from "../../src/cli/io.ts";

/** A person who types `answers`, one a question, and what they see. */
function person(answers: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const screen = new PassThrough();
  let seen = "";
  let asked = 0;
  const type = (line: string) => stdin.write(line);
  screen.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
    for (; asked < seen.split(": ").length - 1; asked++) setImmediate(type, `${answers[asked] ?? ""}\n`);
  });
  const stderr = { write: (chunk: string | Uint8Array) => screen.write(chunk), stream: () => screen };
  const source: PassphraseSource = {
    io: { ...processIo(), env: { PATH: process.env["PATH"] ?? "", ...env }, stdin, stderr },
    isAllowed: answers.length > 0,
  };
  return { source, seen: () => seen };
}

describe("createAskPassphrase", () => {
  it("asks without showing what is typed, and says when it was wrong", async () => {
    const { source, seen } = person(["first-canary", "second-canary"]);
    const ask = createAskPassphrase(source);
    expect(await ask("the key a")).toBe("first-canary");
    expect(await ask("the key a")).toBe("second-canary");
    expect(seen()).toContain("passphrase of the key a: ");
    expect(seen()).toContain("incorrect, once more: ");
    expect(seen()).not.toContain("canary");
  });

  it("asks at the terminal itself where stdin is something else, and closes it", async () => {
    const { source } = person(["typed"]);
    let closed = 0;
    const { stdin, stderr } = source.io;
    const terminal = { input: stdin, output: stderr.stream?.() ?? new PassThrough(), close: () => (closed += 1) };
    const io = { ...source.io, stdin: new PassThrough(), openTerminal: () => terminal };
    expect(await createAskPassphrase({ io, isAllowed: true })("the key a")).toBe("typed");
    expect(closed).toBe(1);
    await expect(createAskPassphrase({ io, isAllowed: false })("the key a")).rejects.toMatchObject({
      code: "E_NEEDS_TERMINAL",
    });
  });

  it("asks one question at a time", async () => {
    const { source } = person(["one", "two"]);
    const ask = createAskPassphrase(source);
    expect(await Promise.all([ask("the key a"), ask("the key b")])).toEqual(["one", "two"]);
  });

  it("takes what the command prints, less one end of line, once for each key", async () => {
    const { source, seen } = person([], {
      SEALTREE_PASSPHRASE_CMD: `test "$SEALTREE_PASSPHRASE_OF" = 'the key a' && printf ' spaced \\n\\n'`,
    });
    const ask = createAskPassphrase(source);
    expect(await ask("the key a")).toBe(" spaced \n");
    await expect(ask("the key a")).rejects.toMatchObject({ code: "E_IDENTITY_INVALID" });
    await expect(ask("the key b")).rejects.toMatchObject({ code: "E_IDENTITY_INVALID" });
    expect(seen()).toBe("");
  });

  it("fails when nobody can be asked, with what to set", async () => {
    const failure = createAskPassphrase(person([]).source)("the key a");
    await expect(failure).rejects.toMatchObject({
      code: "E_NEEDS_TERMINAL",
      hints: [expect.stringContaining("SEALTREE_PASSPHRASE_CMD")],
    });
  });
});

describe("askNewPassphrase", () => {
  it("takes one that was typed twice", async () => {
    expect(await askNewPassphrase(person(["same", "same"]).source, "x")).toBe("same");
  });

  it.each([[["one", "two"]], [["", ""]]])("refuses %j", async (answers) => {
    await expect(askNewPassphrase(person(answers).source, "x")).rejects.toMatchObject({ code: "E_INPUT_INVALID" });
  });
});
