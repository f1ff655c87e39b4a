import { z } from "zod";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { Secret } from "../../secret/secret.ts";
import { printMintName } from "./mint-tag.ts";
import type { MintedProvider } from "./provider.ts";
import type { Rotator } from "./rotator.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { secretReference } from "../../services/secret-reference.ts";
import { askLiveness, readAnswer } from "../../services/service-answer.ts";
import { printBearer } from "../../services/service-authorization.ts";
import { createServiceClient } from "../../services/service-client.ts";
import { serviceEndpoint } from "../../services/service-endpoint.ts";

const id = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
const options = z.strictObject({
  /** Such as `proj_...`. */
  project: id,
  /** Whose keys are changed, such as `user-...` or `svc_acct_...`. */
  service_account: id,
  /** An admin key of the organisation, which is no key of a project. */
  admin: secretReference,
  name: z
    .string()
    .regex(/^[ -~]{1,60}$/)
    .default("sealtree"),
  /** How long a key is good; without, it does not end by itself, where the organisation allows that. */
  days: z.int().min(1).max(365).exactOptional(),
  api: serviceEndpoint("api.openai.com").default("https://api.openai.com/v1"),
});
type OpenaiOptions = z.infer<typeof options>;

/** API keys of a service account in a project (Administration API, v1). A service account has many. */
export const openaiRotator: Rotator<OpenaiOptions> = {
  name: "openai",
  kind: "minted",
  describe: "an API key of a service account at OpenAI",
  options,
  provider: {
    parts: ["api_key"],
    changing: () => ["api_key"],
    outage: () => undefined,
    references: ({ admin }) => [admin],
    propagationMs: () => 60_000,
    open: (checked, access) => Promise.resolve(openOpenai(checked, access)),
  },
};

const listed = z.object({
  has_more: z.boolean(),
  data: z.array(
    z.object({
      id: z.string(),
      name: z.string().nullish(),
      redacted_value: z.string(),
      owner: z.object({ service_account: z.object({ id: z.string() }).nullish() }),
    }),
  ),
});
const minted = z.object({ id: z.string(), value: z.string().min(1) });
type ListedKey = z.infer<typeof listed>["data"][number];

const secondsOfDay = 86_400;

function openOpenai(checked: OpenaiOptions, access: ServiceAccess): MintedProvider {
  const { project, service_account, admin, name, days, api } = checked;
  const client = createServiceClient("openai", {
    baseUrl: api,
    timeoutMs: access.timeoutMs,
    classify: (status) => (status === 404 ? "auth" : undefined),
  });
  const headers = { authorization: printBearer(access.read(admin)) };
  const path = ["organization", "projects", project];
  const account = [...path, "service_accounts", service_account];

  async function list(after?: string): Promise<ListedKey[]> {
    const query = { limit: "100", owner_project_access: "any", ...(after === undefined ? {} : { after }) };
    const answer = await client.send({ method: "GET", path: [...path, "api_keys"], query, headers, expect: [200] });
    const { data, has_more } = readAnswer(listed, answer);
    const own = data.filter(({ owner }) => owner.service_account?.id === service_account);
    const last = data.at(-1)?.id;
    return has_more && last !== undefined ? [...own, ...(await list(last))] : own;
  }

  return {
    kind: "minted",
    async preflight() {
      await client.send({ method: "GET", path: account, headers, expect: [200] });
      return [
        `the service account has ${(await list()).length} keys`,
        "whether the admin key may write keys shows only when it does",
      ];
    },
    async identify(parts) {
      const value = parts["api_key"]?.revealText() ?? "";
      const alike = (await list()).filter(({ redacted_value }) => fitsRedacted(value, redacted_value));
      if (alike.length > 1) {
        throw new ProviderFailure("rejected", "several keys of the service account look like the present value", {
          hints: ["remove those that nothing uses, and try again"],
        });
      }
      return alike[0] === undefined ? undefined : { id: alike[0].id, parts };
    },
    inventory: async () => (await list()).map((key) => key.id),
    async mint(tag) {
      const ends = days === undefined ? {} : { expires_in_seconds: days * secondsOfDay };
      const json = { name: printMintName(name, tag), ...ends };
      const target = [...account, "api_keys"];
      const answer = await client.send({ method: "POST", path: target, headers, body: { json }, expect: [200] });
      const made = readAnswer(minted, answer);
      return { id: made.id, parts: { api_key: Secret.text(made.value) } };
    },
    isTagged: async (key, tag) => (await list()).find((it) => it.id === key)?.name === printMintName(name, tag),
    async probe({ parts }) {
      const value = parts["api_key"];
      if (value === undefined) return "unknown";
      const own = { authorization: printBearer(value) };
      return await askLiveness(async () => {
        // A key that may not list models is refused as known: 403. One that is none is not: 401.
        const answer = await client.send({ method: "GET", path: ["models"], headers: own, expect: [200, 401, 403] });
        return answer.status === 401 ? "dead" : "live";
      });
    },
    async revoke({ id: key }) {
      await client.send({ method: "DELETE", path: [...path, "api_keys", key], headers, expect: [200, 404] });
    },
    close: () => Promise.resolve(),
  };
}

/** `sk-abc...xyz`, or with stars, is how a list shows a key. */
function fitsRedacted(value: string, redacted: string): boolean {
  const [, start, end] = /^([\w-]+)(?:\.{2,}|\*+)([\w-]*)$/.exec(redacted) ?? [];
  if (start === undefined || end === undefined) return false;
  return value.length > start.length + end.length && value.startsWith(start) && value.endsWith(end);
}
