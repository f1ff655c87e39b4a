import { z } from "zod";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { Secret } from "../../secret/secret.ts";
import { printMintName } from "./mint-tag.ts";
import type { MintedProvider } from "./provider.ts";
import type { Rotator } from "./rotator.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { secretReference } from "../../services/secret-reference.ts";
import { askLiveness, readAnswer } from "../../services/service-answer.ts";
import { printBasic } from "../../services/service-authorization.ts";
import { createServiceClient } from "../../services/service-client.ts";
import { serviceEndpoint } from "../../services/service-endpoint.ts";

const options = z.strictObject({
  /** The account that the keys belong to. */
  account: z.string().regex(/^AC[0-9a-fA-F]{32}$/),
  /** The account with its auth token, or a main key with its secret. */
  admin: z.strictObject({ sid: z.string().regex(/^(?:AC|SK)[0-9a-fA-F]{32}$/), secret: secretReference }),
  /** With the tag behind it, at most 64 characters. */
  name: z
    .string()
    .regex(/^[ -~]{1,38}$/)
    .default("sealtree"),
  api: serviceEndpoint("api.twilio.com", ".twilio.com").default("https://api.twilio.com"),
});
type TwilioOptions = z.infer<typeof options>;

/** Standard API keys (REST API, 2010-04-01). An account has many; the auth token is not touched. */
export const twilioRotator: Rotator<TwilioOptions> = {
  name: "twilio",
  kind: "minted",
  describe: "a standard API key at Twilio",
  options,
  provider: {
    parts: ["secret", "sid"],
    changing: () => ["secret", "sid"],
    outage: () => undefined,
    references: ({ admin }) => [admin.secret],
    propagationMs: () => 60_000,
    open: (checked, access) => Promise.resolve(openTwilio(checked, access)),
  },
};

const listed = z.object({
  keys: z.array(z.object({ sid: z.string(), friendly_name: z.string().nullish() })),
  next_page_uri: z.string().nullish(),
});
const minted = z.object({ sid: z.string().min(1), secret: z.string().min(1) });
type ListedKey = z.infer<typeof listed>["keys"][number];

function openTwilio({ account, admin, name, api }: TwilioOptions, access: ServiceAccess): MintedProvider {
  const client = createServiceClient("twilio", {
    baseUrl: api,
    timeoutMs: access.timeoutMs,
    classify: (status) => (status === 404 ? "auth" : undefined),
  });
  const headers = { authorization: printBasic(admin.sid, access.read(admin.secret)) };
  const path = ["2010-04-01", "Accounts", account];

  async function list(query: Readonly<Record<string, string>> = { PageSize: "1000" }): Promise<ListedKey[]> {
    const answer = await client.send({ method: "GET", path: [...path, "Keys.json"], query, headers, expect: [200] });
    const { keys, next_page_uri: next } = readAnswer(listed, answer);
    if (next === undefined || next === null || next === "") return keys;
    // Only its query: where requests go is not for an answer to say.
    return [...keys, ...(await list(Object.fromEntries(new URL(next, api).searchParams)))];
  }

  return {
    kind: "minted",
    preflight: async () => [
      `the account has ${(await list()).length} keys`,
      "whether the administrator may add and delete keys shows only when it does",
    ],
    async identify(parts) {
      const sid = parts["sid"]?.revealText()?.trim() ?? "";
      return (await list()).some((it) => it.sid === sid) ? { id: sid, parts } : undefined;
    },
    inventory: async () => (await list()).map(({ sid }) => sid),
    async mint(tag) {
      const form = { FriendlyName: printMintName(name, tag) };
      const target = [...path, "Keys.json"];
      const answer = await client.send({ method: "POST", path: target, headers, body: { form }, expect: [201] });
      const { sid, secret } = readAnswer(minted, answer);
      return { id: sid, parts: { secret: Secret.text(secret), sid: Secret.text(sid) } };
    },
    isTagged: async (id, tag) =>
      (await list()).find(({ sid }) => sid === id)?.friendly_name === printMintName(name, tag),
    async probe({ id, parts }) {
      const secret = parts["secret"];
      if (secret === undefined) return "unknown";
      const own = { authorization: printBasic(id, secret) };
      return await askLiveness(async () => {
        // Of what a standard key may read, this has nothing of the account's in it.
        const countries = { method: "GET", path: [...path, "AvailablePhoneNumbers.json"], headers: own } as const;
        const query = { PageSize: "1" };
        return (await client.send({ ...countries, query, expect: [200, 401] })).status === 200 ? "live" : "dead";
      });
    },
    async revoke({ id }) {
      if (id === admin.sid) {
        throw new ProviderFailure("rejected", "the key is the administrator's own, which a rotation never ends", {
          hints: ["use another key, or the auth token, for admin"],
        });
      }
      await client.send({ method: "DELETE", path: [...path, "Keys", `${id}.json`], headers, expect: [204, 404] });
    },
    close: () => Promise.resolve(),
  };
}
