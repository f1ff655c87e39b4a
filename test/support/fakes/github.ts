import { findSshPublicKey } from "../../../src/crypto/ssh-public-key.ts";
import { type DescribedApi, startDescribedApi, type ApiReply } from "./described-api.ts";

interface HeldKey {
  readonly id: number;
  readonly key: string;
  readonly title: string;
  readonly read_only: boolean;
}

export interface FakeGithub extends DescribedApi {
  readonly keys: HeldKey[];
  /** Keys of other repositories, which no other may use. */
  readonly elsewhere: string[];
  readonly state: GithubState;
}

interface GithubState {
  /** What the token may do. */
  rights: "admin" | "push" | "none";
  isArchived: boolean;
}

/**
 * The deploy keys of the repository `test-owner/test-name`, by the published OpenAPI description of
 * GitHub. A key can be used once in all of GitHub, and its comment is not kept.
 */
export async function startFakeGithub(): Promise<FakeGithub> {
  const keys: HeldKey[] = [];
  const elsewhere: string[] = [];
  const state: GithubState = { rights: "admin", isArchived: false };
  let lastId = 100;
  const full = ({ id, key, title, read_only }: HeldKey) => {
    const url = `https://api.github.com/repos/test-owner/test-name/keys/${id}`;
    return { id, key, url, title, verified: true, created_at: "2026-01-02T03:04:05Z", read_only, last_used: null };
  };
  const api = await startDescribedApi({
    description: "github",
    headers: {
      authorization: /^Bearer \S+$/,
      accept: /^application\/vnd\.github\+json$/,
      "x-github-api-version": /^2022-11-28$/,
      "user-agent": /./,
    },
    answer: ({ operation, params, query, body, header }): ApiReply => {
      const message = (status: number, text: string): ApiReply => ({ status, json: { message: text } });
      if (header("authorization") !== "Bearer test-token") return message(401, "Bad credentials");
      if (params["owner"] !== "test-owner" || params["repo"] !== "test-name") return message(404, "Not Found");
      const { rights, isArchived } = state;
      if (rights === "none") return message(404, "Not Found");
      if (operation === "GET /repos/{owner}/{repo}") {
        const permissions = { admin: rights === "admin", push: true, pull: true };
        const names = { id: 1, name: "test-name", full_name: "test-owner/test-name" };
        return { status: 200, json: { ...names, private: true, archived: isArchived, permissions } };
      }
      if (rights !== "admin") return message(404, "Not Found");
      switch (operation) {
        case "GET /repos/{owner}/{repo}/keys": {
          const [size, page] = [Number(query.get("per_page") ?? 30), Number(query.get("page") ?? 1)];
          return { status: 200, json: keys.slice((page - 1) * size, page * size).map(full) };
        }
        case "POST /repos/{owner}/{repo}/keys": {
          const key = findSshPublicKey(String(body["key"]));
          if (key === undefined)
            return message(422, "key is invalid. You must supply a key in OpenSSH public key format");
          if ([...keys.map((it) => it.key), ...elsewhere].includes(key.text)) {
            return message(422, "key is already in use");
          }
          const made = {
            id: ++lastId,
            key: key.text,
            title: String(body["title"]),
            read_only: body["read_only"] === true,
          };
          keys.push(made);
          return { status: 201, json: full(made) };
        }
        default: {
          const index = keys.findIndex(({ id }) => String(id) === params["key_id"]);
          if (index === -1) return message(404, "Not Found");
          keys.splice(index, 1);
          return { status: 204 };
        }
      }
    },
  });
  return { ...api, keys, elsewhere, state };
}
