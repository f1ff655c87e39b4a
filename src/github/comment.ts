import { z } from "zod";
import { readAnswer } from "../services/service-answer.ts";
import type { GithubRepository } from "./repository.ts";

/** A comment that is there once, and changed in place. */
export interface KeptComment {
  /** Of the issue or the pull request. */
  readonly number: number;
  /** An HTML comment that says whose it is, such as `<!-- sealtree: review -->`. */
  readonly marker: string;
  /** Markdown, put below the marker. */
  readonly body: string;
}

const user = z.object({ login: z.string() }).nullable();
const commentSchema = z.object({ id: z.int(), body: z.string().optional(), user });
const made = z.object({ id: z.int() });

/**
 * Puts a comment, or changes the one that is there. Ours is one that begins with the marker and was
 * written by whom the token acts as: a marker can be written by anybody. Throws ProviderFailure.
 */
export async function putComment(
  repository: GithubRepository,
  { number, marker, body }: KeptComment,
): Promise<"created" | "updated" | "same"> {
  const text = `${marker}\n${body}`;
  const found = await findComment(repository, { number, marker });
  if (found === undefined) {
    await writeComment(repository, number, text);
    return "created";
  }
  if (isSameText(found.body, text)) return "same";
  const path = ["issues", "comments", String(found.id)];
  readAnswer(made, await repository.send({ method: "PATCH", path, body: { json: { body: text } }, expect: [200] }));
  return "updated";
}

/** The comment of ours with the marker, the oldest when there are more. */
export async function findComment(
  repository: GithubRepository,
  { number, marker }: Pick<KeptComment, "number" | "marker">,
): Promise<{ id: number; body: string } | undefined> {
  const path = ["issues", String(number), "comments"];
  const all = await repository.list(path, z.array(commentSchema), (page) => page);
  const marked = all.filter(({ body = "" }) => startsWithMarker(body, marker));
  if (marked.length === 0) return undefined;
  const login = await repository.login();
  const found = marked.find((it) => it.user?.login === login);
  return found === undefined ? undefined : { id: found.id, body: found.body ?? "" };
}

/** Adds a comment, whatever is there already. */
export async function writeComment(repository: GithubRepository, number: number, body: string): Promise<void> {
  const path = ["issues", String(number), "comments"];
  readAnswer(made, await repository.send({ method: "POST", path, body: { json: { body } }, expect: [201] }));
}

/** True for a body whose first line is the marker. GitHub may give line ends back as CRLF. */
export function startsWithMarker(body: string, marker: string): boolean {
  return body === marker || body.startsWith(`${marker}\n`) || body.startsWith(`${marker}\r\n`);
}

/** True when GitHub shows the same for both: it changes line ends and drops white space at the end. */
export function isSameText(one: string, other: string): boolean {
  const plain = (text: string) => text.replaceAll("\r\n", "\n").trimEnd();
  return plain(one) === plain(other);
}
