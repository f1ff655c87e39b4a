import { z } from "zod";
import { createHttpClient, type HttpAnswer, type HttpRequest } from "../net/http-client.ts";
import { ProviderFailure } from "../net/provider-failure.ts";
import type { Secret } from "../secret/secret.ts";
import { githubClientOptions, githubRepository, listGithub } from "../services/github-client.ts";
import { readAnswer } from "../services/service-answer.ts";
import type { ServiceAccess } from "../services/service-access.ts";

/** A repository on GitHub, and a token that works in it. All that asks throws ProviderFailure. */
export interface GithubRepository {
  readonly owner: string;
  readonly name: string;
  /** Login that the token acts as: of an App and of a job's own token it ends in `[bot]`. Asked for once. */
  login(): Promise<string>;
  /** One request, its path below `/repos/OWNER/NAME`. A 404 that is not expected is `auth`. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** All pages of a list at a path below the same, with what `query` adds; `read` takes the items out of a page. */
  list<Page, Item>(
    path: readonly string[],
    schema: z.ZodType<Page>,
    read: (page: Page) => readonly Item[],
    query?: Readonly<Record<string, string>>,
  ): Promise<Item[]>;
}

export interface GithubRepositoryOptions {
  /** Address of the REST API, such as `https://api.github.com`. */
  readonly api: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly token: Secret;
  readonly access: ServiceAccess;
}

const viewer = z.object({ data: z.object({ viewer: z.object({ login: z.string().min(1) }) }) });

/** Asks nothing yet. Throws ProviderFailure for what is no `owner/name`, and for an address without TLS. */
export function openGithubRepository({ api, repository, token, access }: GithubRepositoryOptions): GithubRepository {
  if (!githubRepository.safeParse(repository).success) {
    throw new ProviderFailure("rejected", "the repository is not named as owner/name");
  }
  const [owner = "", name = ""] = repository.split("/");
  const client = createHttpClient(githubClientOptions(api, token, access));
  const below = (path: readonly string[]) => ["repos", owner, name, ...path];
  let login: Promise<string> | undefined;

  /** REST does not tell an App's token whose it is. */
  async function askLogin(): Promise<string> {
    const graphql = createHttpClient(githubClientOptions(api.replace(/\/v3\/?$/, ""), token, access));
    const body = { json: { query: "{ viewer { login } }" } };
    const answer = await graphql.send({ method: "POST", path: ["graphql"], body, expect: [200] });
    return readAnswer(viewer, answer).data.viewer.login;
  }

  return {
    owner,
    name,
    login: async () => await (login ??= askLogin()),
    send: async (request) => await client.send({ ...request, path: below(request.path) }),
    list: async (path, schema, read, query) => await listGithub(client, below(path), schema, read, query),
  };
}
