import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A gnome-keyring of its own, on a D-Bus of its own, in a folder of its own. */
export interface SecretService {
  /** What a program needs to find it. */
  readonly env: Readonly<Record<string, string>>;
  /** Locks it, so that nothing can be read before somebody types the passphrase. */
  lock(): Promise<void>;
  /** Ends it and starts it again; with another passphrase than the first it stays locked. */
  restart(passphrase: string): Promise<void>;
  /** Ends both programs, by their ids, and removes the folder. */
  stop(): Promise<void>;
}

const run = promisify(execFile);
const name = "org.freedesktop.secrets";

/** Starts the two programs. Throws when one does not start. */
export async function startSecretService(passphrase: string): Promise<SecretService> {
  const home = mkdtempSync(join(tmpdir(), "sealtree-keyring-"));
  const runtime = join(home, "run");
  mkdirSync(runtime, { mode: 0o700 });
  const config = join(home, "bus.conf");
  writeFileSync(config, busConfig(join(runtime, "bus")));
  const base = { PATH: process.env["PATH"] ?? "", HOME: home, XDG_RUNTIME_DIR: runtime };
  const bus = spawn("dbus-daemon", [`--config-file=${config}`, "--nofork", "--print-address"], { env: base });
  const env = { DBUS_SESSION_BUS_ADDRESS: (await firstOutput(bus, /^unix:\S+$/m))[0] };
  let daemon = await startDaemon(passphrase, { ...base, ...env });
  return {
    env,
    async lock() {
      const call = ["/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock"];
      const what = "array:objpath:/org/freedesktop/secrets/collection/login";
      await run("dbus-send", ["--session", "--print-reply", `--dest=${name}`, ...call, what], {
        env: { ...base, ...env },
      });
    },
    async restart(other) {
      await end(daemon);
      daemon = await startDaemon(other, { ...base, ...env });
    },
    async stop() {
      await end(daemon);
      await end(bus);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** It says by itself when it is ready: it takes its name on the bus, which a monitor sees. */
async function startDaemon(passphrase: string, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const watch = `type='signal',member='NameOwnerChanged',arg0='${name}'`;
  const monitor = spawn("dbus-monitor", ["--session", watch], { env });
  const isReady = firstOutput(monitor, /string ":[0-9.]+"\s*$/, /NameOwnerChanged/);
  await firstOutput(monitor, /NameLost/);
  const daemon = spawn("gnome-keyring-daemon", ["--unlock", "--foreground", "--components=secrets"], { env });
  daemon.stdin.end(passphrase);
  const died = new Promise<never>((_, reject) => {
    daemon.once("close", (code) => reject(new Error(`gnome-keyring-daemon ended with ${String(code)}`)));
  });
  await Promise.race([isReady, died]);
  died.catch(() => undefined);
  await end(monitor);
  return daemon;
}

/** Waits until all that a program printed, after `since` where that is given, has `wanted`. */
function firstOutput(child: ChildProcess, wanted: RegExp, since?: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const start = since === undefined ? 0 : text.search(since);
      const found = start < 0 ? null : wanted.exec(text.slice(start));
      if (found !== null) resolve(found);
    });
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`${child.spawnfile} ended with ${String(code)}`)));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill();
  await ended;
}

/** A bus without service files, so that nothing starts on it that the test did not start. */
function busConfig(socket: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;
}
