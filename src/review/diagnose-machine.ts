import { tmpdir } from "node:os";
import { findGitVersion, isAtLeast, oldestGit } from "../git/version.ts";
import { findMemoryFolder } from "../store/memory-folder.ts";
import { fail, ok, warn, type Diagnosis, type Patient } from "./diagnosis.ts";

const oldestNode = "20.19.0";
/** Node, git, the editor, memory for plaintext, and the clock. */
export async function diagnoseMachine(patient: Patient): Promise<Diagnosis[]> {
  return [
    diagnoseNode(process.versions.node),
    await diagnoseGit(patient),
    diagnoseEditor(patient.env),
    diagnoseMemory(patient.env),
    diagnoseClock(patient.session.now()),
  ];
}

/** Judges a version of Node. */
export function diagnoseNode(version: string): Diagnosis {
  if (isAtLeast(version, oldestNode)) return ok("node", `version ${version}`);
  return fail("node", `version ${version} is too old`, `install Node ${oldestNode} or newer`);
}

async function diagnoseGit({ directory, env }: Patient): Promise<Diagnosis> {
  const version = await findGitVersion({ root: directory, env });
  if (version === undefined)
    return fail("git", "git is not in PATH, or does not run", `install git ${oldestGit} or newer`);
  if (isAtLeast(version, oldestGit)) return ok("git", `version ${version}`);
  return fail("git", `version ${version} is too old`, `install git ${oldestGit} or newer`);
}

function diagnoseEditor(env: Patient["env"]): Diagnosis {
  const name = ["VISUAL", "EDITOR"].find((variable) => (env[variable] ?? "") !== "");
  if (name !== undefined) return ok("editor", `${name} is set`);
  return warn(
    "editor",
    "neither VISUAL nor EDITOR is set",
    "export EDITOR=vim, or another editor; sealtree edit opens it",
  );
}

function diagnoseMemory(env: Patient["env"]): Diagnosis {
  const name = "memory for edit";
  if (process.platform !== "linux") return ok(name, `plaintext goes to a private folder in ${tmpdir()} while you edit`);
  const found = findMemoryFolder(env);
  if (found !== undefined) return ok(name, `${found} is in memory`);
  return warn(
    name,
    "no folder in memory is there, so sealtree edit refuses to work",
    "mount a tmpfs and name it in XDG_RUNTIME_DIR",
  );
}

function diagnoseClock(now: Date): Diagnosis {
  const year = now.getUTCFullYear();
  if (year >= 2025 && year < 2100) return ok("clock", now.toISOString());
  return fail("clock", `the clock says ${year}; new values would carry that date`, "set the system's clock");
}
