import { z } from "zod";
import { readAnswer } from "../services/service-answer.ts";
import { isSameText, startsWithMarker, writeComment } from "./comment.ts";
import type { GithubRepository } from "./repository.ts";

/** An issue that is there once, and changed in place. */
export interface KeptIssue {
  /** An HTML comment that says whose it is, such as `<!-- sealtree: rotation -->`. */
  readonly marker: string;
  readonly title: string;
  /** Markdown, put below the marker. */
  readonly body: string;
  readonly labels: readonly string[];
  /** Logins. GitHub leaves out, without a word, who cannot be one. */
  readonly assignees: readonly string[];
}

const issueSchema = z.object({
  number: z.int(),
  state: z.string(),
  title: z.string(),
  body: z.string().nullish(),
  user: z.object({ login: z.string() }).nullable(),
  labels: z.array(z.union([z.string(), z.object({ name: z.string().optional() })])),
  pull_request: z.unknown().optional(),
});
export type Issue = z.infer<typeof issueSchema>;
const numbered = z.object({ number: z.int() });

/**
 * Opens the issue, or brings it up to date and opens it again; the newest when there are more. Ours
 * is one whose body begins with the marker and that was opened by whom the token acts as. Labels
 * are added; assignees are given at the start only, for people to change. Throws ProviderFailure.
 */
export async function putIssue(
  repository: GithubRepository,
  { marker, title, body, labels, assignees }: KeptIssue,
): Promise<{ number: number; outcome: "created" | "updated" | "same" | "reopened" }> {
  const text = `${marker}\n${body}`;
  const found = await findIssue(repository, marker);
  if (found === undefined) {
    const json = { title, body: text, labels, assignees };
    const answer = await repository.send({ method: "POST", path: ["issues"], body: { json }, expect: [201] });
    return { number: readAnswer(numbered, answer).number, outcome: "created" };
  }
  const { number } = found;
  const present = found.labels.flatMap((label) => (typeof label === "string" ? label : (label.name ?? [])));
  const isOpen = found.state === "open";
  const missing = labels.filter((label) => !present.includes(label));
  if (isOpen && found.title === title && isSameText(found.body ?? "", text) && missing.length === 0) {
    return { number, outcome: "same" };
  }
  const all = missing.length === 0 ? {} : { labels: [...present, ...missing] };
  await change(repository, number, { title, body: text, ...all, ...(isOpen ? {} : { state: "open" }) });
  return { number, outcome: isOpen ? "updated" : "reopened" };
}

/** Closes the issue with the marker, with a last comment. Gives its number; undefined when none is open. */
export async function closeIssue(
  repository: GithubRepository,
  { marker, comment }: { readonly marker: string; readonly comment: string },
): Promise<number | undefined> {
  const found = await findIssue(repository, marker);
  if (found?.state !== "open") return undefined;
  await writeComment(repository, found.number, comment);
  await change(repository, found.number, { state: "closed", state_reason: "completed" });
  return found.number;
}

/** The issue of ours with the marker: an open one before a closed one, the newest of these. Its body is anybody's to edit who may write. */
export async function findIssue(repository: GithubRepository, marker: string): Promise<Issue | undefined> {
  // Pull requests are listed too.
  const login = await repository.login();
  const query = { state: "all", creator: login, sort: "created", direction: "desc" };
  const all = await repository.list(["issues"], z.array(issueSchema), (page) => page, query);
  const ours = all.filter(
    (it) => it.pull_request === undefined && it.user?.login === login && startsWithMarker(it.body ?? "", marker),
  );
  return ours.find(({ state }) => state === "open") ?? ours[0];
}

async function change(repository: GithubRepository, number: number, json: object): Promise<void> {
  const path = ["issues", String(number)];
  readAnswer(numbered, await repository.send({ method: "PATCH", path, body: { json }, expect: [200] }));
}
