import { isAdmin } from "../../access/permission.ts";
import { loadPolicy, sortedMembers } from "../../access/policy.ts";
import { fingerprintOf } from "../../crypto/recipient.ts";
import { exitCodes, SealtreeError } from "../../errors.ts";
import { hasGit, type GitPlace } from "../../git/place.ts";
import { resolveCommit } from "../../git/revision.ts";
import { findPinnedRoot, pinRoot } from "../../review/pinned-root.ts";
import { verifyClone, type CloneRequest, type CloneVerification } from "../../review/verify-clone.ts";
import { openCommitTree } from "../../store/commit-tree.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count } from "../present.ts";
import { startProgress } from "../progress.ts";
import { oneLine } from "../one-line.ts";

type Options = Readonly<Record<string, unknown>>;

/** What is judged, before the options that say how. */
type Range = Pick<CloneRequest, "from" | "to" | "way" | "mustDescend" | "remembers">;

export const verify: CommandModule = {
  arguments: "",
  kind: "plain",
  description:
    "Proves that every change of secrets, policies and what decides about them was signed by a member whose role allowed it, by the policy before the change. Goes from the root that this clone pins to HEAD; with --range over a pull request, as a merge of it would be judged; with --deployed from what was deployed last. Needs no key, and takes nothing in the tree on trust. Exits with 6 when it refuses a commit. docs/signed-history.md explains each rule.",
  options: [
    {
      flags: "--range <range>",
      description: "BASE..HEAD: the commits of a pull request, judged by the policy of BASE",
    },
    { flags: "--deployed <sha>", description: "the commit that is to be deployed; goes with --anchor" },
    { flags: "--anchor <sha>", description: "the commit that was deployed last; --deployed must come after it" },
    { flags: "--root <sha>", description: "trust this commit instead of the pinned one" },
    { flags: "--pin <sha>", description: "make a commit that you have looked at the root of this clone, and stop" },
    { flags: "--all", description: "also commits that leave our files alone must be signed by a member" },
    { flags: "--strict", description: "refuse also where the policy does not ask for signatures" },
    { flags: "--no-cache", description: "judge again what was verified before" },
  ],
  examples: [
    {
      command: "sealtree verify --pin v1.0.0",
      description: "once in a clone, after looking at the policy of that commit",
    },
    { command: "sealtree verify", description: "from the pinned root to HEAD; what was verified before is remembered" },
    { command: "sealtree verify --range origin/main..HEAD", description: "a pull request" },
    { command: "sealtree verify --deployed HEAD --anchor 3f2c9d1", description: "before a deploy" },
  ],
  json: '{"accepted": boolean, "from": id, "to": id, "commits": number, "continued": boolean, "signing": "off"|"warn"|"require"|null, "errors", "warnings", "findings": [{"commit": id|null, "subject", "rule", "severity": "error"|"warning", "message", "hint"}]}, with --pin {"pinned": id, "before": id|null, "signing", "admins": [{"name", "keys": [fingerprint]}]}',
  async run(context, _args, options) {
    context.about({ operation: "verify" });
    const place = context.place();
    if (!hasGit(place)) {
      throw new SealtreeError("E_NO_REPOSITORY", "the tree here is not a git repository, so it has no history", {
        hints: ["run it in a clone"],
      });
    }
    const given = readOptions(options);
    if (given.pin !== undefined) {
      await pin(context, place, given.pin);
      return exitCodes.ok;
    }
    const range = await chooseRange(context, place, given);
    const progress = startProgress(context.io.stderr);
    try {
      const verification = await verifyClone(place, {
        ...range,
        remembers: range.remembers && options["cache"] !== false,
        all: options["all"] === true,
        strict: options["strict"] === true,
        onProgress: (done, total) => progress.show(`verified ${done} of ${total} commits`),
      });
      progress.end();
      print(context, range, verification);
      const isRefused = verification.findings.some(({ severity }) => severity === "error");
      return isRefused ? exitCodes.integrity : exitCodes.ok;
    } finally {
      progress.end();
    }
  },
};

interface GivenOptions {
  readonly range: string | undefined;
  readonly deployed: string | undefined;
  readonly anchor: string | undefined;
  readonly root: string | undefined;
  readonly pin: string | undefined;
}

/** Throws E_USAGE for options that do not go together. */
function readOptions(options: Options): GivenOptions {
  const text = (name: string) => (typeof options[name] === "string" ? options[name] : undefined);
  const given = {
    range: text("range"),
    deployed: text("deployed"),
    anchor: text("anchor"),
    root: text("root"),
    pin: text("pin"),
  };
  const { range, deployed, anchor, root, pin: pinned } = given;
  if ((deployed === undefined) !== (anchor === undefined)) {
    throw new SealtreeError("E_USAGE", "--deployed and --anchor go together", {
      hints: ["sealtree verify --deployed NEW --anchor OLD"],
    });
  }
  if ([range, deployed, root, pinned].filter((value) => value !== undefined).length > 1) {
    throw new SealtreeError("E_USAGE", "--range, --deployed, --root and --pin each say where trust begins: give one", {
      hints: ["sealtree help verify"],
    });
  }
  return given;
}

async function chooseRange(context: Context, place: GitPlace, given: GivenOptions): Promise<Range> {
  if (given.range !== undefined) {
    const [, base, head] = /^((?!.*\.\.\.)[^.].*?)\.\.([^.].*)$/.exec(given.range) ?? [];
    if (base === undefined || head === undefined) {
      throw new SealtreeError("E_USAGE", "a range is two commits with two dots between them", {
        hints: ["sealtree verify --range origin/main..HEAD"],
      });
    }
    const [from, to] = [await resolveCommit(place, base), await resolveCommit(place, head)];
    return { from, to, way: "one step", mustDescend: false, remembers: false };
  }
  if (given.deployed !== undefined && given.anchor !== undefined) {
    const [from, to] = [await resolveCommit(place, given.anchor), await resolveCommit(place, given.deployed)];
    return { from, to, way: "steps", mustDescend: true, remembers: false };
  }
  const from = given.root === undefined ? await requireRoot(context, place) : await resolveCommit(place, given.root);
  return { from, to: await resolveCommit(place, "HEAD"), way: "steps", mustDescend: true, remembers: true };
}

/** The pinned root. Throws E_NOT_PINNED: trust never begins with what happens to be there. */
async function requireRoot({ io }: Context, place: GitPlace): Promise<string> {
  const root = await findPinnedRoot(place);
  if (root !== undefined) return root;
  throw new SealtreeError("E_NOT_PINNED", "this clone pins no root, so there is nothing to begin from", {
    hints: isCi(io.env)
      ? ["give --root COMMIT from a setting of the workflow, which no pull request can change"]
      : [
          "look at the policy of a commit, then: sealtree verify --pin COMMIT",
          "or once: sealtree verify --root COMMIT",
        ],
  });
}

function isCi(env: Readonly<Record<string, string | undefined>>): boolean {
  return !["", "0", "false"].includes(env["CI"] ?? "");
}

async function pin(context: Context, place: GitPlace, revision: string): Promise<void> {
  if (isCi(context.io.env)) {
    throw new SealtreeError("E_USAGE", "a root that a job pins for itself proves nothing", {
      hints: ["give --root COMMIT from a setting of the workflow, which no pull request can change"],
    });
  }
  const tree = await openCommitTree(place, revision);
  try {
    const policy = await loadPolicy(tree);
    const before = await findPinnedRoot(place).catch(() => undefined);
    await pinRoot(place, tree.commit);
    const admins = sortedMembers(policy)
      .filter((member) => isAdmin(policy, member))
      .map(({ name, signingKeys }) => ({ name, keys: signingKeys.map(fingerprintOf) }));
    if (context.options.json) {
      context.json({ pinned: tree.commit, before: before ?? null, signing: policy.signing, admins });
      return;
    }
    for (const { name, keys } of admins)
      context.line(`admin ${name}  ${keys.length === 0 ? "no signing key" : keys.join(", ")}`);
    const instead = before === undefined || before === tree.commit ? "" : `, in the place of ${before.slice(0, 12)}`;
    context.say(`pinned ${tree.commit}${instead}; compare the keys with those that the admins tell you`);
    if (policy.signing !== "require") context.say(`signing is ${policy.signing} in its policy: refusals are warnings`);
  } finally {
    tree.close();
  }
}

function print(context: Context, { from, to }: Range, verification: CloneVerification): void {
  const { findings, commits, signing, isContinued } = verification;
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const warnings = findings.length - errors;
  if (context.options.json) {
    context.json({
      accepted: errors === 0,
      from,
      to,
      commits,
      continued: isContinued,
      signing: signing ?? null,
      errors,
      warnings,
      findings: findings.map(({ commit, subject, rule, severity, message, hint }) => {
        return { commit: commit ?? null, subject, rule, severity, message, hint };
      }),
    });
    return;
  }
  for (const { commit, subject, rule, severity, message, hint } of findings) {
    const who = commit === undefined ? "this clone" : commit.slice(0, 12);
    const title = subject === "" ? "" : ` (${oneLine(subject)})`;
    const word = context.paint(severity === "error" ? "red" : "yellow", severity);
    context.line(`${who}${title}: ${word} ${rule}: ${oneLine(message)}`);
    context.line(context.paint("dim", `  ${oneLine(hint)}`));
  }
  const asked = signing === "off" || signing === "warn" ? `; signing is ${signing} in the policy` : "";
  const known = isContinued ? ", the rest was verified before" : "";
  const verdict =
    errors > 0
      ? `refused: ${count(errors, "error")}${warnings === 0 ? "" : `, ${count(warnings, "warning")}`}`
      : `accepted${warnings === 0 ? "" : ` with ${count(warnings, "warning")}`}`;
  context.say(
    `${verdict}: ${count(commits, "commit")} from ${from.slice(0, 12)} to ${to.slice(0, 12)}${known}${asked}`,
  );
}
