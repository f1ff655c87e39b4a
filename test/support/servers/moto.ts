import { spawn } from "node:child_process";
import { once } from "node:events";
import { findFreePort } from "./server-process.ts";

export interface TestMoto {
  readonly url: string;
  /** All that it wrote so far: a line for each request. */
  readonly logText: () => string;
  /** From now on keys and rights are checked, or not. */
  checkAccess(isChecked: boolean): Promise<void>;
  /** Ends it, by its process id. Ending it twice is fine. */
  stop(): Promise<void>;
}

/** A stand-in for Amazon of its own, which forgets everything at its end. */
export async function startMoto(): Promise<TestMoto> {
  const port = await findFreePort();
  const args = ["--pdeathsig=KILL", "--", "moto_server", "-H", "127.0.0.1", "-p", String(port)];
  const child = spawn("setpriv", args, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close");
  let text = "";
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes("Running on")) resolve();
      });
    }
    child.once("error", reject);
    void ended.then(() => reject(new Error(`moto ended before it was ready\n${text}`)));
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    logText: () => text,
    async checkAccess(isChecked) {
      const answer = await fetch(`${url}/moto-api/reset-auth`, { method: "POST", body: isChecked ? "0" : "inf" });
      if (!answer.ok) throw new Error(`moto answered ${answer.status}`);
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
