import { EventEmitter, once } from "node:events";
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterAll, describe, expect, it } from "vitest";
import { type ChildOptions, runChild } from "../../src/resolve/run-child.ts";
import { Secret } from "../../src/secret/secret.ts";

const folder = mkdtempSync(join(tmpdir(), "sealtree-child-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Collects what is written. */
class Sink extends Writable {
  readonly chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.chunks.push(chunk);
    this.emit("text", this.text);
    done();
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

function optionsFor(
  script: string,
  changes: Partial<ChildOptions> = {},
): ChildOptions & { stdout: Sink; stderr: Sink } {
  return {
    command: process.execPath,
    args: ["-e", script],
    environment: { PATH: process.env["PATH"] },
    secrets: new Map([["TOKEN", Secret.text("canary-token")]]),
    masking: "on",
    signals: new EventEmitter(),
    stdin: "other",
    ...changes,
  } as ChildOptions & { stdout: Sink; stderr: Sink };
}

async function run(script: string, changes: Partial<ChildOptions> = {}) {
  const options = { ...optionsFor(script, changes), stdout: new Sink(), stderr: new Sink(), ...changes };
  const status = await runChild(options);
  return { status, stdout: (options.stdout as Sink).text, stderr: (options.stderr as Sink).text };
}

describe("runChild", () => {
  it("gives the child the secrets and its arguments as they are, without a shell", async () => {
    const script = "process.stdout.write(JSON.stringify([process.env.TOKEN, ...process.argv.slice(1)]))";
    const args = ["-e", script, "$HOME", "a b", "*"];
    const { status, stdout } = await run("", { args, masking: "off" });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual(["canary-token", "$HOME", "a b", "*"]);
  });

  it("masks stdout and stderr, also a value that comes in two writes", async () => {
    const script = `
      process.stdout.write("out canary-");
      setTimeout(() => process.stdout.write("token.\\n"), 50);
      process.stderr.write("err canary-token");
    `;
    expect(await run(script)).toEqual({ status: 0, stdout: "out [masked].\n", stderr: "err [masked]" });
  });

  it("flushes what looked like the start of a value", async () => {
    expect((await run("process.stdout.write('canary-tok')")).stdout).toBe("canary-tok");
  });

  it("passes the exit status through", async () => {
    expect((await run("process.exit(37)")).status).toBe(37);
  });

  it("reports a signal as 128 + N", async () => {
    expect((await run("process.kill(process.pid, 'SIGKILL')")).status).toBe(128 + constants.signals.SIGKILL);
  });

  it("reports a command that is not found as 127 and one that is not executable as 126", async () => {
    const file = join(folder, "not-executable");
    writeFileSync(file, "#!/bin/sh\n");
    chmodSync(file, 0o600);
    expect((await run("", { command: join(folder, "absent") })).status).toBe(127);
    expect((await run("", { command: "sealtree-absent-command" })).status).toBe(127);
    expect((await run("", { command: file })).status).toBe(126);
    expect((await run("", { command: folder })).status).toBe(126);
  });

  it("names an environment that is too large", async () => {
    const secrets = new Map([["BIG", Secret.text("x".repeat(8 * 1024 * 1024))]]);
    await expect(run("", { secrets, masking: "off" })).rejects.toMatchObject({ code: "E_VALUE_TOO_LARGE" });
  });

  it.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const)("forwards %s", async (signal) => {
    const signals = new EventEmitter();
    const stdout = new Sink();
    const script = `
      process.on("${signal}", () => { process.stdout.write("got ${signal}", () => process.exit(9)); });
      setInterval(() => {}, 1000);
      process.stdout.write("ready");
    `;
    const running = runChild({ ...optionsFor(script), signals, stdout, stderr: new Sink() });
    await once(stdout, "text");
    signals.emit(signal, signal);
    expect(await running).toBe(9);
    expect(stdout.text).toBe(`readygot ${signal}`);
    expect(signals.eventNames()).toEqual([]);
  });

  it("leaves Ctrl-C to the terminal, which sends it to the child too", async () => {
    const signals = new EventEmitter();
    const stdout = new Sink();
    const script = `
      process.on("SIGINT", () => process.exit(1));
      process.on("SIGTERM", () => process.exit(2));
      setInterval(() => {}, 1000);
      process.stdout.write("ready");
    `;
    const running = runChild({ ...optionsFor(script), signals, stdout, stderr: new Sink(), stdin: "terminal" });
    await once(stdout, "text");
    signals.emit("SIGINT", "SIGINT");
    signals.emit("SIGTERM", "SIGTERM");
    expect(await running).toBe(2);
  });

  it("loses nothing of a long output when the reader is slow", async () => {
    const stdout = new PassThrough({ highWaterMark: 1024 });
    const script = `
      const line = "x".repeat(99) + "\\n";
      for (let i = 0; i < 20000; i++) process.stdout.write(i % 100 === 0 ? "canary-token\\n" : line);
    `;
    const running = runChild({ ...optionsFor(script), stdout, stderr: new Sink() }).finally(() => stdout.end());
    let bytes = 0;
    for await (const chunk of stdout as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes < 64 * 1024) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await running).toBe(0);
    expect(bytes).toBe(19800 * 100 + 200 * "[masked]\n".length);
  });

  it("waits for a reader that pauses after the child has gone", async () => {
    const chunks: Buffer[] = [];
    const stdout = new Writable({
      highWaterMark: 1,
      write: (chunk: Buffer, _encoding, done) => {
        chunks.push(chunk);
        setTimeout(done, chunks.length === 1 ? 900 : 0);
      },
    });
    const status = await runChild({ ...optionsFor("console.log('x'.repeat(200000))"), stdout, stderr: new Sink() });
    expect(status).toBe(0);
    expect(Buffer.concat(chunks)).toHaveLength(200_001);
  });

  it("ends although a grandchild keeps the pipe open", async () => {
    const { status, stdout } = await run("", { command: "sh", args: ["-c", "sleep 60 & echo started; exit 4"] });
    expect({ status, stdout }).toEqual({ status: 4, stdout: "started\n" });
  });

  it("leaves no timer behind that would hold the process up", async () => {
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
    const before = timers();
    await run("");
    expect(timers()).toBe(before);
  });

  it("ends the child's output when the reader is gone", async () => {
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done(new Error("the reader is gone")) });
    const script =
      "setInterval(() => process.stdout.write('x'.repeat(1000)), 1); process.stdout.on('error', () => process.exit(5))";
    expect(await runChild({ ...optionsFor(script), stdout, stderr: new Sink() })).toBe(5);
  });

  it("lets the child write to a terminal itself, unmasked, and to a file when masking is off", async () => {
    for (const changes of [
      { isTTY: true, masking: "on" },
      { isTTY: false, masking: "off" },
    ] as const) {
      const file = join(folder, "output");
      const fd = openSync(file, "w");
      const stdout = Object.assign(new Sink(), { fd, isTTY: changes.isTTY });
      await runChild({
        ...optionsFor("console.log(process.env.TOKEN)"),
        masking: changes.masking,
        stdout,
        stderr: new Sink(),
      });
      closeSync(fd);
      expect(readFileSync(file, "utf8")).toBe("canary-token\n");
      expect(stdout.text).toBe("");
    }
  });
});
