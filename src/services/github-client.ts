import { z } from "zod";
import { isServiceUrl, type HttpAnswer, type HttpClientOptions, type HttpRequest } from "../net/http-client.ts";
import type { FailureClass } from "../net/provider-failure.ts";
import type { Secret } from "../secret/secret.ts";
import type { ServiceAccess } from "./service-access.ts";
import { readAnswer } from "./service-answer.ts";
import { printBearer } from "./service-authorization.ts";

/** A client of {@link githubClientOptions}. */
export interface GithubClient {
  send(request: HttpRequest): Promise<HttpAnswer>;
}

/** `owner/name`. */
export const githubRepository = z.string().regex(/^[A-Za-z0-9_-]{1,39}\/(?!\.\.?$)[A-Za-z0-9._-]{1,100}$/);

/** An organisation. */
export const githubOrganization = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,38}$/);

/** Where the API is; of GitHub Enterprise Server `https://HOST/api/v3`. */
export const githubApi = z
  .string()
  .refine(isServiceUrl, "the address of the API is not one that may be used")
  .default("https://api.github.com");

/** How GitHub's REST API is spoken to (version 2022-11-28). Rate limits are `transient`, and say how long. */
export function githubClientOptions(api: string, token: Secret, access: ServiceAccess): HttpClientOptions {
  return {
    baseUrl: api,
    timeoutMs: access.timeoutMs,
    headers: {
      accept: "application/vnd.github+json",
      authorization: printBearer(token),
      "user-agent": "sealtree",
      "x-github-api-version": "2022-11-28",
    },
    classify,
    waitMs: (answer) => waitFor(answer, access.now()),
  };
}

const pageSize = 100;

/** All pages of a list, with what `more` adds to the query; `read` takes the items out of one. */
export async function listGithub<Page, Item>(
  client: GithubClient,
  path: readonly string[],
  schema: z.ZodType<Page>,
  read: (page: Page) => readonly Item[],
  more: Readonly<Record<string, string>> = {},
): Promise<Item[]> {
  const items: Item[] = [];
  for (let page = 1; ; page++) {
    const query = { ...more, per_page: String(pageSize), page: String(page) };
    const found = read(readAnswer(schema, await client.send({ method: "GET", path, query, expect: [200] })));
    items.push(...found);
    if (found.length < pageSize) return items;
  }
}

/** Rate limits come with the status of missing rights; a repository that may not be seen, with that of none. */
function classify(status: number, answer: HttpAnswer): FailureClass | undefined {
  if (status === 403 && (isSpent(answer) || isSecondary(answer))) return "transient";
  return status === 404 ? "auth" : undefined;
}

function isSpent(answer: HttpAnswer): boolean {
  return answer.header("retry-after") !== undefined || answer.header("x-ratelimit-remaining") === "0";
}

/** The limit on bursts may come without any header; GitHub's pages say that the message tells. */
function isSecondary({ json }: HttpAnswer): boolean {
  const message = typeof json === "object" && json !== null && "message" in json ? json.message : undefined;
  return typeof message === "string" && /secondary rate limit/i.test(message);
}

/** GitHub asks for a minute where it gives no time. */
const unsaidWaitMs = 60_000;

function waitFor(answer: HttpAnswer, now: Date): number | undefined {
  const resetMs = Number(answer.header("x-ratelimit-reset") ?? Number.NaN) * 1000;
  if (answer.header("x-ratelimit-remaining") === "0" && Number.isFinite(resetMs)) {
    return Math.max(1000, resetMs - now.getTime());
  }
  return isSecondary(answer) || answer.status === 429 ? unsaidWaitMs : undefined;
}
