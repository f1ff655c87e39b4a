import type { z } from "zod";
import { isProviderFailure } from "../../net/provider-failure.ts";
import { readAnswer } from "../../services/service-answer.ts";
import type { GithubRepository } from "../repository.ts";
import { settingUnknown, type SettingFinding } from "./finding.ts";
import type { SettingRule, SettingSeverity } from "./rules.ts";

/** What GitHub says to a question: it is so, there is none, this token may not see it, or there was no answer. */
export type Asked<T> =
  | { readonly kind: "is"; readonly value: T }
  | { readonly kind: "none" }
  | { readonly kind: "hidden"; /** Of a fine-grained token, such as `Administration: read`. */ readonly right: string }
  | { readonly kind: "failed"; readonly why: string };

/** What was not told. */
export type Untold = Exclude<Asked<never>, { kind: "is" | "none" }>;

/** One question about the repository. */
export interface Question<T> {
  /** Below `/repos/OWNER/NAME`. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly schema: z.ZodType<T>;
  /** The right of a fine-grained token that shows it. */
  readonly right: string;
  /** What an answer with 404 must hold to mean that there is none; without, 404 is `hidden`. */
  readonly isNone?: (json: unknown) => boolean;
}

/** Asks for one object. Never throws for what GitHub does. */
export async function askSetting<T>(repository: GithubRepository, question: Question<T>): Promise<Asked<T>> {
  const { path, query = {}, schema, right, isNone } = question;
  return await untold(right, async () => {
    const expect = isNone === undefined ? [200] : [200, 404];
    const answer = await repository.send({ method: "GET", path, query, expect });
    if (answer.status === 200) return { kind: "is", value: readAnswer(schema, answer) };
    return isNone?.(answer.json) === true ? { kind: "none" } : { kind: "hidden", right };
  });
}

/** Asks for all pages of a list. Never throws for what GitHub does. */
export async function askSettings<Page, Item>(
  repository: GithubRepository,
  question: Omit<Question<Page>, "isNone">,
  read: (page: Page) => readonly Item[],
): Promise<Asked<readonly Item[]>> {
  const { path, query, schema, right } = question;
  return await untold(right, async () => ({
    kind: "is",
    value: await repository.list(path, schema, read, query),
  }));
}

/** True for a setting that GitHub told nothing of. */
export function isUntold<T>(asked: Asked<T>): asked is Untold {
  return asked.kind === "hidden" || asked.kind === "failed";
}

/** The first of several settings that GitHub told nothing of. */
export function findUntold(asked: readonly Asked<unknown>[]): Untold | undefined {
  return asked.find((it) => isUntold(it));
}

/** The finding for a rule whose setting GitHub told nothing of. */
export function findingOfUntold(rule: SettingRule, asked: Untold, severity?: SettingSeverity): SettingFinding {
  return asked.kind === "hidden"
    ? settingUnknown(rule, `not known: the token may not see it (${asked.right})`, hintForRight(asked.right), severity)
    : settingUnknown(rule, `not known: ${asked.why}`, "run it again", severity);
}

/** How to get a token with a right. */
function hintForRight(right: string): string {
  const isBeyondJobs = /^(?:Administration|Environments|Secrets)/.test(right);
  const job = isBeyondJobs ? "; the GITHUB_TOKEN of a job cannot have it" : "";
  return `a fine-grained token for this repository with ${right}${job}`;
}

async function untold<T>(right: string, ask: () => Promise<Asked<T>>): Promise<Asked<T>> {
  try {
    return await ask();
  } catch (error) {
    if (!isProviderFailure(error)) throw error;
    return error.class === "auth" ? { kind: "hidden", right } : { kind: "failed", why: error.message };
  }
}
