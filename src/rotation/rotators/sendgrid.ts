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

const options = z.strictObject({
  /** What a new key may do. SendGrid takes no scopes for all scopes, so they are never left out. */
  scopes: z
    .array(z.string().regex(/^[a-z0-9_.]{1,100}$/))
    .min(1)
    .max(500),
  /** A key with the scopes api_keys.create, api_keys.read, api_keys.delete, and all of `scopes`. */
  admin: secretReference,
  name: z
    .string()
    .regex(/^[ -~]{1,60}$/)
    .default("sealtree"),
  /** A subuser that the keys belong to. */
  subuser: z
    .string()
    .regex(/^[!-~]{1,100}$/)
    .exactOptional(),
  api: serviceEndpoint("api.sendgrid.com", "api.eu.sendgrid.com").default("https://api.sendgrid.com"),
});
type SendgridOptions = z.infer<typeof options>;

/** An account has a hundred keys at most, and answers 403 to one more. */
const maxKeys = 100;

/** API keys (v3 API). */
export const sendgridRotator: Rotator<SendgridOptions> = {
  name: "sendgrid",
  kind: "minted",
  describe: "an API key at SendGrid",
  options,
  provider: {
    parts: ["api_key"],
    changing: () => ["api_key"],
    outage: () => undefined,
    references: ({ admin }) => [admin],
    propagationMs: () => 60_000,
    open: (checked, access) => Promise.resolve(openSendgrid(checked, access)),
  },
};

const listed = z.object({ result: z.array(z.object({ api_key_id: z.string(), name: z.string() })) });
const minted = z.object({ api_key: z.string().min(1), api_key_id: z.string().min(1) });

function openSendgrid(checked: SendgridOptions, access: ServiceAccess): MintedProvider {
  const { scopes, admin, name, subuser, api } = checked;
  const client = createServiceClient("sendgrid", { baseUrl: api, timeoutMs: access.timeoutMs });
  const headers = {
    authorization: printBearer(access.read(admin)),
    ...(subuser === undefined ? {} : { "on-behalf-of": subuser }),
  };
  const path = ["v3", "api_keys"];
  const list = async () => {
    const answer = await client.send({ method: "GET", path, headers, expect: [200] });
    return readAnswer(listed, answer).result;
  };
  const noRoom = () =>
    new ProviderFailure("limit", `the account has ${maxKeys} keys, and SendGrid allows no more`, {
      hints: ["delete those that nothing uses"],
    });

  return {
    kind: "minted",
    async preflight() {
      const own = await client.send({ method: "GET", path: ["v3", "scopes"], headers, expect: [200] });
      const held = readAnswer(z.object({ scopes: z.array(z.string()) }), own).scopes;
      const missing = ["api_keys.create", "api_keys.read", "api_keys.delete", ...scopes].filter(
        (it) => !held.includes(it),
      );
      if (missing.length > 0) {
        throw new ProviderFailure("auth", `the administrator's key lacks ${missing.length} scopes`, {
          hints: missing.slice(0, 10).map((it) => `it needs ${it}`),
        });
      }
      const count = (await list()).length;
      if (count >= maxKeys) throw noRoom();
      return [`the account has ${count} keys of at most ${maxKeys}`];
    },
    async identify(parts) {
      const id = findKeyId(parts["api_key"]?.revealText());
      if (id === undefined) return undefined;
      const found = (await list()).some(({ api_key_id }) => api_key_id === id);
      return found ? { id, parts } : undefined;
    },
    inventory: async () => (await list()).map(({ api_key_id }) => api_key_id),
    async mint(tag) {
      const json = { name: printMintName(name, tag), scopes };
      const answer = await client.send({ method: "POST", path, headers, body: { json }, expect: [201, 403] });
      if (answer.status === 201) {
        const { api_key, api_key_id } = readAnswer(minted, answer);
        return { id: api_key_id, parts: { api_key: Secret.text(api_key) } };
      }
      if ((await list()).length >= maxKeys) throw noRoom();
      throw new ProviderFailure("auth", "SendGrid let the administrator's key make no key", {
        hints: ["a key can give the scopes alone that it has itself"],
      });
    },
    async isTagged(id, tag) {
      return (await list()).find(({ api_key_id }) => api_key_id === id)?.name === printMintName(name, tag);
    },
    async probe({ parts }) {
      const value = parts["api_key"];
      if (value === undefined) return "unknown";
      const own = { authorization: printBearer(value) };
      return await askLiveness(async () => {
        const scoped = { method: "GET", path: ["v3", "scopes"], headers: own } as const;
        return (await client.send({ ...scoped, expect: [200, 401] })).status === 200 ? "live" : "dead";
      });
    },
    async revoke({ id }) {
      await client.send({ method: "DELETE", path: [...path, id], headers, expect: [204, 404] });
    },
    close: () => Promise.resolve(),
  };
}

/** A key is `SG.`, its id, a point and its secret. */
function findKeyId(value: string | undefined): string | undefined {
  return /^SG\.([\w-]+)\.[\w-]+$/.exec(value?.trim() ?? "")?.[1];
}
