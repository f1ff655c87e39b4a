import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { dayMs } from "../../../../src/rotation/duration.ts";
import { parseAddress } from "../../../../src/secret/address.ts";
import { createSealedRepository } from "../../../support/repository.ts";
import { makeThrowAway } from "../../../support/throw-away.ts";
import type { Ground, Lane } from "./lane.ts";

/** The secret that every lane rotates. */
export const address = parseAddress("dev/app/CREDENTIAL");
export const printedAddress = "dev/app/CREDENTIAL";

/** A moment of a lane that cases begin at. */
export interface Base {
  /** Of the bare repository, to be copied. */
  readonly remote: string;
  /** A clone of it, whose `origin` is {@link Base.origin}. */
  readonly clone: string;
  readonly origin: string;
  /** What the server has of the lane. */
  readonly saved: string;
}

/** A team's repository for one lane: before any rotation, in the grace of the first, and after it. */
export interface Template {
  readonly lane: Lane;
  /** File of the built command. */
  readonly bin: string;
  readonly env: Readonly<Record<string, string>>;
  readonly hasOverlap: boolean;
  readonly fresh: Base;
  /** Undefined where there is no grace. */
  readonly inGrace: Base | undefined;
  /** Undefined where a credential cannot be taken out of use and brought back. */
  readonly suspended: Base | undefined;
}

/** Makes all of them, which takes longer than most cases: cases copy them. */
export async function createTemplate({ scenarios, hasOverlap }: Ground, lane: Lane, bin: string): Promise<Template> {
  const owner = await createSealedRepository();
  const values = { [printedAddress]: await lane.begin(), ...lane.companions };
  for (const [name, value] of Object.entries(values)) await owner.ok(["set", name, "--stdin"], { stdin: value });
  // JSON is YAML.
  owner.write("policies/rotation.yaml", `${JSON.stringify({ secrets: { [printedAddress]: lane.rule } })}\n`);
  owner.git("add", "policies");
  owner.git("commit", "--quiet", "-m", "rotation policy");
  rmSync(join(owner.root, ".git", "hooks"), { recursive: true, force: true });
  const base = makeThrowAway("sealtree-crash-template-");
  const origin = join(base, "origin.git");
  execFileSync("git", ["init", "--quiet", "--bare", "--initial-branch=main", "--template=", origin], {
    env: { PATH: process.env["PATH"] ?? "", ...owner.env },
  });
  owner.git("remote", "add", "origin", origin);
  owner.git("push", "--quiet", "--set-upstream", "origin", "main");
  const keep = async (name: string): Promise<Base> => {
    const [remote, clone] = [join(base, `${name}.git`), join(base, name)];
    cpSync(origin, remote, { recursive: true });
    cpSync(owner.root, clone, { recursive: true });
    return { remote, clone, origin, saved: await lane.save() };
  };
  const fresh = await keep("fresh");
  if (hasOverlap) await owner.ok(["rotate", printedAddress, "--yes"]);
  const inGrace = hasOverlap ? await keep("in-grace") : undefined;
  const isSuspended = scenarios.includes("the end of a suspension");
  const now = new Date(Date.now() + dayMs);
  if (isSuspended) await owner.ok(["rotate", "--resume", "--yes"], { now });
  const suspended = isSuspended ? await keep("suspended") : undefined;
  return { lane, bin, env: owner.env, hasOverlap, fresh, inGrace, suspended };
}
