import { readFileSync, rmSync } from "node:fs";
import { basename, isAbsolute, join } from "node:path";
import type { Environment } from "../git/place.ts";

/** By what an ssh-agent is found again that its step left behind. */
export interface AgentTrace {
  readonly pid: number;
  /** Absolute; of its socket, and of nothing else. */
  readonly folder: string;
}

/** The name under which an {@link AgentTrace} is kept for the post step, as JSON. */
export const agentState = "agent";
/** How the name of an agent's folder begins. */
export const folderPrefix = "sealtree-agent-";
/** The socket in it. */
export const socketName = "agent";

/** Ends the agent of a step that was cut off. A process that is another one by now is let be. Throws nothing. */
export function endKeptAgent(env: Environment): void {
  const trace = parseTrace(env[`STATE_${agentState}`]);
  if (trace === undefined) return;
  if (readCommandLine(trace.pid).includes(join(trace.folder, socketName))) endProcess(trace.pid);
  rmSync(trace.folder, { recursive: true, force: true });
}

/** Throws nothing for a process that has ended. */
export function endProcess(pid: number): void {
  try {
    process.kill(pid);
  } catch {
    // It has ended by itself.
  }
}

function parseTrace(state: string | undefined): AgentTrace | undefined {
  if (state === undefined || state === "") return undefined;
  const { pid, folder } = JSON.parse(state) as Partial<AgentTrace>;
  const isPid = typeof pid === "number" && Number.isSafeInteger(pid) && pid > 1;
  const isOurs = typeof folder === "string" && isAbsolute(folder) && basename(folder).startsWith(folderPrefix);
  return isPid && isOurs ? { pid, folder } : undefined;
}

/** Empty where it cannot be told, as on macOS; an agent ends by itself there, too. */
function readCommandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
