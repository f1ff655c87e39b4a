import { z } from "zod";
import { ProviderFailure, type FailureClass } from "../../net/provider-failure.ts";
import { Secret } from "../../secret/secret.ts";
import { isMintName, printMintName } from "./mint-tag.ts";
import type { MintedProvider } from "./provider.ts";
import type { Rotator } from "./rotator.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { secretReference } from "../../services/secret-reference.ts";
import { askLiveness, readAnswer } from "../../services/service-answer.ts";
import { printBearer } from "../../services/service-authorization.ts";
import { createServiceClient } from "../../services/service-client.ts";
import { serviceEndpoint } from "../../services/service-endpoint.ts";

const options = z.strictObject({
  /** The account that owns the token; left out for a token of a user. */
  account: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .exactOptional(),
  /** What the token is called at Cloudflare. Its successors have its policies, and its name with a tag. */
  name: z.string().regex(/^[ -~]{1,90}$/),
  /** A token that may write tokens, and is not the one that is changed. */
  admin: secretReference,
  /** How long a token is good; without, it does not end by itself. */
  days: z.int().min(1).max(3650).exactOptional(),
  api: serviceEndpoint("api.cloudflare.com").default("https://api.cloudflare.com/client/v4"),
});
type CloudflareOptions = z.infer<typeof options>;

/** API tokens of an account or a user (API v4). A new one gets the policies and conditions of the newest of its name. */
export const cloudflareRotator: Rotator<CloudflareOptions> = {
  name: "cloudflare",
  kind: "minted",
  describe: "an API token at Cloudflare",
  options,
  provider: {
    parts: ["token"],
    changing: () => ["token"],
    outage: () => undefined,
    references: ({ admin }) => [admin],
    propagationMs: () => 60_000,
    open: (checked, access) => Promise.resolve(openCloudflare(checked, access)),
  },
};

const policy = z.object({
  effect: z.enum(["allow", "deny"]),
  permission_groups: z.array(z.object({ id: z.string() })),
  resources: z.record(z.string(), z.unknown()),
});
const token = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  issued_on: z.string().default(""),
  expires_on: z.string().nullish(),
  policies: z.array(policy),
  condition: z.record(z.string(), z.unknown()).nullish(),
});
const oneToken = z.object({ result: token });
const pageOfTokens = z.object({ result: z.array(token) });
const minted = z.object({ result: z.object({ id: z.string(), value: z.string().min(1) }) });
const verified = z.object({ result: z.object({ id: z.string(), status: z.string() }) });
type Token = z.infer<typeof token>;

const pageSize = 50;
const dayMs = 86_400_000;

function openCloudflare(checked: CloudflareOptions, access: ServiceAccess): MintedProvider {
  const { account, name, admin, days, api } = checked;
  const client = createServiceClient("cloudflare", { baseUrl: api, timeoutMs: access.timeoutMs, classify });
  const headers = { authorization: printBearer(access.read(admin)) };
  const tokens = account === undefined ? ["user", "tokens"] : ["accounts", account, "tokens"];

  async function list(page = 1): Promise<Token[]> {
    const query = { per_page: String(pageSize), page: String(page) };
    const answer = await client.send({ method: "GET", path: tokens, query, headers, expect: [200] });
    const { result } = readAnswer(pageOfTokens, answer);
    return result.length < pageSize ? result : [...result, ...(await list(page + 1))];
  }
  /** What a new token is made like. */
  async function findModel(): Promise<Token> {
    const named = (await list()).filter((it) => it.status === "active" && isMintName(it.name, name));
    const [model] = named.toSorted((a, b) => b.issued_on.localeCompare(a.issued_on));
    if (model === undefined) {
      throw new ProviderFailure("rejected", "there is no active token of the name in the rule", {
        hints: ["name is what the token is called at Cloudflare, or was called when it was made by hand"],
      });
    }
    if (typeof model.expires_on === "string" && days === undefined) {
      throw new ProviderFailure("rejected", "the token ends at a date, and the rule does not say when a new one does", {
        hints: ["add days to the options, more than the interval with its grace"],
      });
    }
    return model;
  }
  async function setStatus(id: string, status: "active" | "disabled"): Promise<void> {
    const answer = await client.send({ method: "GET", path: [...tokens, id], headers, expect: [200] });
    const { result } = readAnswer(oneToken, answer);
    const json = { name: result.name, status, ...limitsOf(result), ...datesOf(result.expires_on) };
    await client.send({ method: "PUT", path: [...tokens, id], headers, body: { json }, expect: [200] });
  }
  /** The id of a token, which it may ask of itself. */
  async function verify(value: Secret): Promise<{ readonly id: string; readonly status: string } | undefined> {
    const own = { authorization: printBearer(value) };
    const path = [...tokens, "verify"];
    const answer = await client.send({ method: "GET", path, headers: own, expect: [200, 400, 401, 403] });
    return answer.status === 200 ? readAnswer(verified, answer).result : undefined;
  }

  return {
    kind: "minted",
    async preflight() {
      const model = await findModel();
      return [`a new token gets the ${model.policies.length} policies of the token ${model.id}`];
    },
    async identify(parts) {
      const found = parts["token"] === undefined ? undefined : await verify(parts["token"]);
      return found === undefined ? undefined : { id: found.id, parts };
    },
    inventory: async () => (await list()).map(({ id }) => id),
    async mint(tag) {
      const model = await findModel();
      const end = days === undefined ? undefined : new Date(access.now().getTime() + days * dayMs);
      const json = { name: printMintName(name, tag), ...limitsOf(model), ...datesOf(end?.toISOString()) };
      const answer = await client.send({ method: "POST", path: tokens, headers, body: { json }, expect: [200] });
      const { id, value } = readAnswer(minted, answer).result;
      return { id, parts: { token: Secret.text(value) } };
    },
    isTagged: async (id, tag) => (await list()).find((it) => it.id === id)?.name === printMintName(name, tag),
    probe: async ({ parts }) => {
      const value = parts["token"];
      if (value === undefined) return "unknown";
      return await askLiveness(async () => ((await verify(value))?.status === "active" ? "live" : "dead"));
    },
    suspend: async ({ id }) => await setStatus(id, "disabled"),
    resume: async ({ id }) => await setStatus(id, "active"),
    async revoke({ id }) {
      await client.send({ method: "DELETE", path: [...tokens, id], headers, expect: [200, 404] });
    },
    close: () => Promise.resolve(),
  };
}

/** What a token may do, as a request has it: without the ids of policies, which Cloudflare gives. */
function limitsOf({ policies, condition }: Token) {
  const written = policies.map(({ effect, permission_groups, resources }) => {
    return { effect, permission_groups: permission_groups.map(({ id }) => ({ id })), resources };
  });
  return { policies: written, ...(condition === undefined || condition === null ? {} : { condition }) };
}

/** Cloudflare takes seconds alone. */
function datesOf(end: string | null | undefined) {
  return end === undefined || end === null ? {} : { expires_on: end.replace(/\.\d+Z$/, "Z") };
}

/** A token that cannot be seen is refused as one that is not there. */
function classify(status: number): FailureClass | undefined {
  return status === 404 ? "auth" : undefined;
}
