import sodium from "libsodium-wrappers";
import { createFakeGithubApp, type FakeGithubApp } from "./github-app.ts";
import { startDescribedApi, type ApiCall, type ApiReply, type DescribedApi } from "./described-api.ts";

interface HeldSecret {
  /** As the private key opens it. */
  readonly text: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly visibility?: string;
  readonly repositories?: readonly number[];
}

export interface FakeGithubSecrets extends DescribedApi {
  /** What is held at a place, such as `/repos/test-owner/test-name/actions`. */
  at(place: string): Map<string, HeldSecret>;
  /** Puts one there as a person would on the web. */
  put(place: string, name: string, text: string, more?: Partial<HeldSecret>): void;
  /** From now on boxes for the old key are refused. */
  changeKey(): void;
  readonly state: GithubSecretsState;
  readonly app: FakeGithubApp;
}

interface GithubSecretsState {
  /** What the token may do; `none` may not even see the repository, `metadata` sees it alone. */
  rights: "secrets" | "metadata" | "none";
  readonly environments: Set<string>;
  /** Names of repositories of `test-org`, with their ids. */
  readonly repositories: Map<string, number>;
}

const bytesOfKb = 48 * 1024;

/**
 * The secrets of the repository `test-owner/test-name`, of its environments, and of the organisation
 * `test-org`, by GitHub's published OpenAPI description. Opens each box with libsodium's own
 * `crypto_box_seal_open`, and knows GitHub's limits on names, sizes and numbers.
 */
export async function startFakeGithubSecrets(): Promise<FakeGithubSecrets> {
  await sodium.ready;
  const app = createFakeGithubApp();
  const places = new Map<string, Map<string, HeldSecret>>();
  const state: GithubSecretsState = {
    rights: "secrets",
    environments: new Set(["production"]),
    repositories: new Map([
      ["test-one", 11],
      ["test-two", 12],
    ]),
  };
  let pair = sodium.crypto_box_keypair();
  let keyId = 568_250_167_242_549_700;
  let time = Date.UTC(2026, 0, 1);

  const at = (place: string) => {
    const held = places.get(place) ?? new Map<string, HeldSecret>();
    places.set(place, held);
    return held;
  };
  function put(place: string, name: string, text: string, more: Partial<HeldSecret> = {}): void {
    const updatedAt = new Date((time += 1000)).toISOString();
    const createdAt = at(place).get(name)?.createdAt ?? updatedAt;
    at(place).set(name, { ...more, text, createdAt, updatedAt });
  }

  const api = await startDescribedApi({
    description: "github",
    headers: {
      authorization: /^Bearer \S+$/,
      accept: /^application\/vnd\.github\+json$/,
      "x-github-api-version": /^2022-11-28$/,
      "user-agent": /./,
    },
    answer(call): ApiReply {
      const ofApp = app.answer(call);
      if (ofApp !== undefined) return ofApp;
      const token = call.header("authorization")?.slice("Bearer ".length) ?? "";
      if (token !== "test-token" && !app.accepts(token)) return message(401, "Bad credentials");
      const { params, operation } = call;
      if (state.rights === "none") return message(404, "Not Found");
      if (operation === "GET /repos/{owner}/{repo}") return answerRepository(params);
      const [method = "", template = ""] = operation.split(" ");
      const place = fill(template.slice(0, template.indexOf("/secrets")), params);
      const [owner, repo] = [params["owner"] ?? params["org"], params["repo"]];
      if (!["test-owner", "test-org"].includes(owner ?? "") || (repo ?? "test-name") !== "test-name") {
        return message(404, "Not Found");
      }
      if (state.rights === "metadata") return message(403, "Resource not accessible by personal access token");
      const environment = params["environment_name"];
      if (environment !== undefined && !state.environments.has(environment)) return message(404, "Not Found");
      if (template.endsWith("/public-key")) {
        return { status: 200, json: { key_id: String(keyId), key: encode(pair.publicKey) } };
      }
      if (template.endsWith("/repositories")) return answerSelected(call, at(place).get(params["secret_name"] ?? ""));
      if (template.endsWith("/secrets")) return answerList(call, place);
      return answerOne(call, method, place);
    },
  });

  function answerRepository(params: ApiCall["params"]): ApiReply {
    const { owner = "", repo = "" } = params;
    const isOwn = owner === "test-owner" && repo === "test-name";
    const id = isOwn ? 1 : owner === "test-org" ? state.repositories.get(repo) : undefined;
    if (id === undefined) return message(404, "Not Found");
    const names = { id, name: repo, full_name: `${owner}/${repo}`, private: true, archived: false };
    return { status: 200, json: { ...names, permissions: { admin: true, push: true, pull: true } } };
  }

  function answerList({ query, operation }: ApiCall, place: string): ApiReply {
    const all = [...at(place)]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([name, it]) => show(name, it, operation));
    return { status: 200, json: { total_count: all.length, secrets: pageOf(all, query) } };
  }

  function answerSelected({ query }: ApiCall, secret: HeldSecret | undefined): ApiReply {
    if (secret === undefined) return message(404, "Not Found");
    if (secret.visibility !== "selected") return message(409, "Conflict");
    const all = (secret.repositories ?? []).map((id) => ({ id, name: `test-${id}`, full_name: `test-org/test-${id}` }));
    return { status: 200, json: { total_count: all.length, repositories: pageOf(all, query) } };
  }

  function answerOne({ params, body, operation }: ApiCall, method: string, place: string): ApiReply {
    const name = params["secret_name"] ?? "";
    const found = at(place).get(name);
    if (method === "PUT") return store(place, name, body);
    if (found === undefined) return message(404, "Not Found");
    if (method === "GET") return { status: 200, json: show(name, found, operation) };
    at(place).delete(name);
    return { status: 204 };
  }

  function store(place: string, name: string, body: ApiCall["body"]): ApiReply {
    const box = Buffer.from(String(body["encrypted_value"]), "base64");
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || /^GITHUB_/i.test(name)) return message(422, "Secret names");
    if (body["key_id"] !== String(keyId)) return message(422, "Invalid request: key_id");
    if (box.length > bytesOfKb) return message(422, "Secret is too large");
    const opened = open(box);
    if (opened === undefined) return message(422, "Bad request: the secret cannot be opened");
    const isNew = !at(place).has(name.toUpperCase());
    if (isNew && at(place).size >= mostOf(place)) return message(422, "Too many secrets");
    const { visibility, selected_repository_ids: ids } = body;
    if (ids !== undefined && visibility !== "selected") return message(422, "selected_repository_ids");
    const shown = { visibility: String(visibility), repositories: (ids ?? []) as number[] };
    put(place, name.toUpperCase(), Buffer.from(opened).toString(), place.startsWith("/orgs") ? shown : {});
    return isNew ? { status: 201, json: {} } : { status: 204 };
  }

  function open(box: Uint8Array): Uint8Array | undefined {
    try {
      return sodium.crypto_box_seal_open(box, pair.publicKey, pair.privateKey);
    } catch {
      return undefined;
    }
  }

  return {
    ...api,
    at,
    put,
    changeKey() {
      pair = sodium.crypto_box_keypair();
      keyId += 1000;
    },
    state,
    app,
  };
}

function mostOf(place: string): number {
  return place.startsWith("/orgs") && !place.endsWith("/codespaces") ? 1000 : 100;
}

/** As GitHub shows one: never its value. Codespaces and organisations have a visibility. */
function show(name: string, { createdAt, updatedAt, visibility }: HeldSecret, operation: string): object {
  const url = "https://api.github.com/orgs/test-org/secrets/test/repositories";
  const dates = { name, created_at: createdAt, updated_at: updatedAt };
  if (!operation.includes("/orgs/")) return dates;
  return { ...dates, visibility, ...(visibility === "selected" ? { selected_repositories_url: url } : {}) };
}

function pageOf<T>(all: readonly T[], query: URLSearchParams): T[] {
  const [size, page] = [Number(query.get("per_page") ?? 30), Number(query.get("page") ?? 1)];
  return all.slice((page - 1) * size, page * size);
}

function fill(template: string, params: ApiCall["params"]): string {
  return template.replaceAll(/\{([^}]+)\}/g, (_, name: string) => params[name] ?? "");
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function message(status: number, text: string): ApiReply {
  return { status, json: { message: text } };
}
