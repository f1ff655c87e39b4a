import { z } from "zod";
import { mapLimit } from "../../services/map-limit.ts";
import { withoutPins } from "../pinned-actions.ts";
import { askSettings, findingOfUntold, isUntold, type Asked } from "./ask.ts";
import { askFile, askFolder } from "./contents.ts";
import { nameOf, settingMissing, settingOk, settingUnknown, type SettingFinding } from "./finding.ts";
import type { Inspection } from "./inspection.ts";
import { shellWord } from "./place.ts";
import type { WantedWorkflow } from "./wants.ts";
import { findWorkflowFlaws, type WorkflowFlaw } from "./workflow-flaws.ts";

const folder = ".github/workflows";
const states = z.object({ workflows: z.array(z.object({ path: z.string(), state: z.string() })) });
type State = z.infer<typeof states>["workflows"][number];

/** A workflow of the default branch. */
interface WorkflowText {
  readonly path: string;
  readonly text: Asked<string>;
}

/** The workflows on the default branch: ours as they should be, and what all of them hand out. */
export async function checkWorkflows(inspection: Inspection): Promise<SettingFinding[]> {
  const { repository, facts, wants } = inspection;
  const branch = facts.default_branch;
  const listed = await askFolder(repository, branch, folder);
  if (isUntold(listed)) {
    const rules = ["workflow-files", "workflow-state", ...Object.keys(flawTexts)] as (keyof typeof flawTexts)[];
    return rules.map((rule) => findingOfUntold(rule, listed));
  }
  const paths = listed.kind === "is" ? listed.value.filter((path) => /\.ya?ml$/i.test(path)) : [];
  const files = await mapLimit(paths, 4, async (path): Promise<WorkflowText> => ({
    path,
    text: await askFile(repository, branch, path),
  }));
  const present = wants.workflows.filter(({ path }) => paths.includes(path));
  return [
    ...checkFiles(wants.workflows, files),
    checkWrittenFor(inspection),
    ...(present.length === 0 ? [] : await checkStates(inspection, present)),
    ...checkSchedule(inspection),
    ...checkFlaws(files),
  ];
}

function checkFiles(wanted: readonly WantedWorkflow[], files: readonly WorkflowText[]): SettingFinding[] {
  const rule = "workflow-files";
  const write = "sealtree github-setup, and merge it";
  const found = wanted.map(({ path, text }): SettingFinding => {
    const there = files.find((file) => file.path === path)?.text;
    if (there === undefined || there.kind === "none") {
      return settingMissing(rule, `${path} is not on the default branch`, write);
    }
    if (isUntold(there)) return findingOfUntold(rule, there);
    // A newer release of an action is nothing to complain of.
    if (withoutPins(there.value) === withoutPins(text)) return settingOk(rule, `${path} is as it should be`);
    return settingMissing(rule, `${path} is not what github-setup would write now`, write, "warning");
  });
  const bad = found.filter(({ state }) => state !== "ok");
  return bad.length > 0 || found.length === 0 ? bad : [settingOk(rule, "the workflows are as they should be")];
}

function checkWrittenFor({ wants, facts }: Inspection): SettingFinding {
  const rule = "workflow-branch";
  const branch = facts.default_branch;
  if (wants.branch === branch) return settingOk(rule, `the workflows are for ${nameOf(branch)}`);
  const message = `the workflows are for ${nameOf(wants.branch)}, and the default branch is ${nameOf(branch)}`;
  return settingMissing(rule, message, `sealtree github-setup --branch ${shellWord(branch)}`);
}

async function checkStates(
  { repository, place }: Inspection,
  present: readonly WantedWorkflow[],
): Promise<SettingFinding[]> {
  const rule = "workflow-state";
  const asked = await askSettings(
    repository,
    { path: ["actions", "workflows"], schema: states, right: "Actions: read" },
    (page) => page.workflows,
  );
  if (asked.kind !== "is") return isUntold(asked) ? [findingOfUntold(rule, asked)] : [];
  const bad = present.flatMap(({ path }) => {
    const state = asked.value.find((it: State) => it.path === path)?.state;
    if (state === "active") return [];
    const enable = place.gh(`workflow enable ${path.slice(folder.length + 1)}`);
    return [settingMissing(rule, `${path} ${sayState(state)}`, enable)];
  });
  return bad.length > 0 ? bad : [settingOk(rule, "the workflows are turned on")];
}

function sayState(state: string | undefined): string {
  return offStates.get(state ?? "") ?? "is not known to GitHub Actions as one that runs";
}

const offStates: ReadonlyMap<string, string> = new Map([
  ["disabled_inactivity", "was turned off by GitHub, because nobody worked in the repository for 60 days"],
  ["disabled_fork", "is turned off, as in every fork"],
  ["disabled_manually", "was turned off by somebody"],
]);

function checkSchedule({ facts, wants, place }: Inspection): SettingFinding[] {
  const rule = "workflow-schedule";
  const scheduled = wants.workflows.filter(({ isScheduled }) => isScheduled);
  if (scheduled.length === 0) return [];
  if (facts.fork) {
    const message = "this is a fork: GitHub runs no schedule in it until the workflow is turned on by hand";
    return [settingMissing(rule, message, place.page("actions"))];
  }
  if (facts.private || wants.rotation?.hasHeartbeat === true) {
    return [
      settingOk(
        rule,
        facts.private ? "schedules run on in private repositories" : "the heartbeat turns schedules on again",
      ),
    ];
  }
  const message = "in a public repository GitHub turns schedules off after 60 days in which nobody works in it";
  return [
    settingMissing(rule, message, "keep the workflow secrets-heartbeat, or look at the Actions page every month"),
  ];
}

const flawTexts = {
  "workflow-pinned": {
    ok: "every action is named by its full commit",
    missing: "an action or an image that is named by what can be moved",
    hint: "write the 40 digits of the release's commit, and the version as a comment",
  },
  "workflow-foreign-code": {
    ok: "no workflow with secrets checks out a pull request",
    missing: "code of a pull request is checked out where secrets are",
    hint: "run it on pull_request, or read the pull request through the API and run nothing of it",
  },
  "workflow-identity": {
    ok: "identities are in environments alone",
    missing: "a job reads an identity, or all secrets, and names no environment",
    hint: "environment: NAME in that job, with the identity as a secret of that environment",
  },
} as const;

/** How many places of a rule are named. */
const maxPlaces = 10;

function checkFlaws(files: readonly WorkflowText[]): SettingFinding[] {
  if (files.length === 0) return [];
  const judged = files.map(({ path, text }) => ({
    path,
    flaws: text.kind === "is" ? findWorkflowFlaws(text.value) : undefined,
  }));
  const unread = judged.filter(({ flaws }) => flaws === undefined).map(({ path }) => nameOf(path));
  return (Object.keys(flawTexts) as WorkflowFlaw["rule"][]).map((rule) => {
    const { ok, missing, hint } = flawTexts[rule];
    const places = judged.flatMap(({ path, flaws = [] }) =>
      flaws.filter((flaw) => flaw.rule === rule).map(({ line }) => `${nameOf(path)}:${line}`),
    );
    const more = places.length > maxPlaces ? `, and ${places.length - maxPlaces} more` : "";
    if (places.length > 0)
      return settingMissing(rule, `${missing}: ${places.slice(0, maxPlaces).join(", ")}${more}`, hint);
    if (unread.length === 0) return settingOk(rule, ok);
    return settingUnknown(
      rule,
      `not known of ${unread.join(", ")}: it cannot be read as a workflow`,
      "look at it by hand",
    );
  });
}
