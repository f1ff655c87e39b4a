import { z } from "zod";
import { decodeUtf8 } from "../../secret/utf8.ts";
import type { GithubRepository } from "../repository.ts";
import { askSetting, type Asked } from "./ask.ts";

const right = "Contents: read";
const file = z.object({ type: z.string(), encoding: z.string().optional(), content: z.string().optional() });
const folder = z.array(z.object({ type: z.string(), path: z.string() }));

/**
 * The text of a file of a branch (GET contents/PATH); `none` when there is none. A file that is no text, no file,
 * or larger than GitHub shows (1 MB) is `failed`.
 */
export async function askFile(repository: GithubRepository, branch: string, path: string): Promise<Asked<string>> {
  const asked = await askSetting(repository, { ...question(branch, path), schema: file });
  if (asked.kind !== "is") return asked;
  const { type, encoding, content } = asked.value;
  const text = type === "file" && encoding === "base64" ? decodeUtf8(Buffer.from(content ?? "", "base64")) : undefined;
  return text === undefined
    ? { kind: "failed", why: "it is no text file of less than 1 MB" }
    : { kind: "is", value: text };
}

/** The paths of the files in a folder of a branch; `none` when there is no such folder. */
export async function askFolder(
  repository: GithubRepository,
  branch: string,
  path: string,
): Promise<Asked<readonly string[]>> {
  const asked = await askSetting(repository, { ...question(branch, path), schema: folder });
  if (asked.kind !== "is") return asked;
  return { kind: "is", value: asked.value.filter(({ type }) => type !== "dir").map((it) => it.path) };
}

/** A token that may not read contents is told 403; 404 is for a path that is not there. */
function question(branch: string, path: string) {
  return { path: ["contents", path], query: { ref: branch }, right, isNone: () => true };
}
