import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseSshPrivateKey } from "../crypto/ssh-private-key.ts";
import { hasCode, SealtreeError } from "../errors.ts";
import type { GitSetting } from "../git/config-environment.ts";
import type { Environment } from "../git/place.ts";
import type { Secret } from "../secret/secret.ts";
import { endProcess, folderPrefix, socketName, type AgentTrace } from "./end-kept-agent.ts";

/** An ssh-agent of our own, which holds one key in memory. */
export interface SigningAgent {
  /** What git needs to sign every commit with the key. */
  readonly settings: readonly GitSetting[];
  /** For the post step. */
  readonly trace: AgentTrace;
  /** Ends the agent, and the key with it. Throws nothing. */
  close(): Promise<void>;
}

const variable = "SEALTREE_SIGNING_KEY";
/** A socket's path has room for some hundred bytes. */
const maxFolderBytes = 80;
/** Ends when our end of its input does, and an ssh-agent ends with the command that it was started with. */
const leash = 'echo "$SSH_AGENT_PID"; exec cat > /dev/null';

/**
 * Starts an agent and gives it `key`, an OpenSSH private key, which goes through pipes alone and
 * touches no disk. `temporary` is a folder for its socket. An agent that the job has for itself, as for
 * pushing by SSH, stays in use. The agent ends within seconds of this process, also when that is killed. Throws E_IDENTITY_INVALID without
 * anything of the key, and E_IO where OpenSSH's programs are not there.
 */
export async function startSigningAgent(key: Secret, env: Environment, temporary: string): Promise<SigningAgent> {
  const text = `${(key.revealText() ?? "").trim().replaceAll("\r\n", "\n")}\n`;
  if (isLocked(text)) throw refused("has a passphrase, which nobody can type in a job");
  const folder = mkdtempSync(join(findFolder(temporary), folderPrefix));
  const socket = join(folder, socketName);
  const plain = { PATH: env["PATH"] ?? "" };
  const agent = spawn("ssh-agent", ["-a", socket, "sh", "-c", leash], {
    env: plain,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = endOf(agent);
  let pid: number | undefined;
  const close = async () => {
    if (pid !== undefined) endProcess(pid);
    agent.stdin.end();
    await ended.catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    pid = await Promise.race([readPid(agent), ended.then(() => undefined)]);
    if (pid === undefined) throw missing("ssh-agent did not start");
    const variables = { SSH_AUTH_SOCK: socket };
    writeFileSync(join(folder, "ssh-keygen"), printSigner(socket), { mode: 0o700 });
    const added = await runAdd(["-q", "-"], { ...plain, ...variables }, text);
    if (added.code !== 0) throw refused("is not a private key that OpenSSH can read");
    const [line, ...more] = (await runAdd(["-L"], { ...plain, ...variables })).stdout.trim().split("\n");
    const publicKey = /^(\S+ [A-Za-z0-9+/=]+)/.exec(line ?? "")?.[1];
    if (publicKey === undefined || more.length > 0) throw refused("is not one private key");
    return {
      settings: [
        ["gpg.format", "ssh"],
        ["gpg.ssh.program", join(folder, "ssh-keygen")],
        ["user.signingkey", `key::${publicKey}`],
        ["commit.gpgsign", "true"],
      ],
      trace: { pid, folder },
      close,
    };
  } catch (error) {
    await close();
    throw hasCode(error, "E_IO", "E_IDENTITY_INVALID") ? error : missing("ssh-agent cannot be started");
  }
}

/** Tells a passphrase from damage; a key of a kind that is no identity is for ssh-add to judge. */
function isLocked(text: string): boolean {
  try {
    return "isLocked" in parseSshPrivateKey(text, variable);
  } catch {
    return false;
  }
}

function findFolder(temporary: string): string {
  return Buffer.byteLength(temporary) <= maxFolderBytes ? temporary : "/tmp";
}

/** What git signs with: ssh-keygen by our agent, and not by the one that ssh may use to push. */
function printSigner(socket: string): string {
  return `#!/bin/sh\nSSH_AUTH_SOCK='${socket.replaceAll("'", `'\\''`)}' exec ssh-keygen "$@"\n`;
}

async function readPid(agent: ChildProcess): Promise<number | undefined> {
  let text = "";
  for await (const chunk of agent.stdout ?? []) {
    text += String(chunk);
    if (text.includes("\n")) break;
  }
  return /^[1-9][0-9]*$/.test(text.trim()) ? Number(text.trim()) : undefined;
}

async function runAdd(args: readonly string[], env: Readonly<Record<string, string>>, input = "") {
  // In a session of its own it has no terminal on which to ask for a passphrase.
  const child = spawn("ssh-add", args, {
    env: { ...env, SSH_ASKPASS_REQUIRE: "never" },
    detached: true,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const code = await endOf(child);
  return { code, stdout: Buffer.concat(chunks).toString("utf8") };
}

async function endOf(child: ChildProcess): Promise<number | null> {
  return await new Promise((resolve, reject) => {
    child.once("error", () => reject(missing("ssh-agent and ssh-add are not there")));
    child.once("close", resolve);
  });
}

function refused(what: string): SealtreeError {
  return new SealtreeError("E_IDENTITY_INVALID", `${variable} ${what}`, {
    hints: [
      "make one for the job alone: ssh-keygen -t ed25519 -N '' -C secrets-bot -f bot",
      "put the whole file bot into the secret, and bot.pub into the policy: sealtree member add bot --ssh bot.pub",
    ],
  });
}

function missing(what: string): SealtreeError {
  return new SealtreeError("E_IO", `${what}, and commits are signed through it`, {
    hints: ["install OpenSSH's client on the runner, or take SEALTREE_SIGNING_KEY out of the step's env"],
  });
}
