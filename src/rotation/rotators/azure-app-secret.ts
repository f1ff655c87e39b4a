import { z } from "zod";
import type { HttpRequest } from "../../net/http-client.ts";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { Secret } from "../../secret/secret.ts";
import { azureLoginHosts } from "../../services/azure-login.ts";
import { probeAzureSecret, requestAzureToken, type AzureLogin, type AzureProof } from "../../services/azure-token.ts";
import { printMintName } from "./mint-tag.ts";
import type { MintedProvider } from "./provider.ts";
import type { Rotator } from "./rotator.ts";
import { readFresh, type ServiceAccess } from "../../services/service-access.ts";
import { secretReference } from "../../services/secret-reference.ts";
import { askLiveness, readAnswer } from "../../services/service-answer.ts";
import { printBearer } from "../../services/service-authorization.ts";
import { createServiceClient } from "../../services/service-client.ts";
import { serviceEndpoint } from "../../services/service-endpoint.ts";

const graphHosts = [
  "graph.microsoft.com",
  "graph.microsoft.us",
  "dod-graph.microsoft.us",
  "microsoftgraph.chinacloudapi.cn",
];
const uuid = z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
const options = z.strictObject({
  /** The directory: its id or one of its domains. */
  tenant: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,127}$/),
  /** The object id of the application, not the id of its service principal. */
  application: uuid,
  /** The client id of the same application, which its secrets log in with. */
  client: uuid,
  admin: z.union([
    z.strictObject({ client: uuid, secret: secretReference }),
    z.strictObject({ client: uuid, assertion: secretReference }),
  ]),
  name: z
    .string()
    .regex(/^[ -~]{1,60}$/)
    .default("sealtree"),
  /** How long a secret is good; longer than the interval with its grace. */
  days: z.int().min(1).max(730).default(180),
  login: serviceEndpoint(...azureLoginHosts).default("https://login.microsoftonline.com"),
  graph: serviceEndpoint(...graphHosts).default("https://graph.microsoft.com"),
});
type AzureAppSecretOptions = z.infer<typeof options>;

const dayMs = 86_400_000;

/** Client secrets of an application in Entra ID (Microsoft Graph v1.0). An application has many. */
export const azureAppSecretRotator: Rotator<AzureAppSecretOptions> = {
  name: "azure-app-secret",
  kind: "minted",
  describe: "a client secret of an application in Microsoft Entra ID",
  options,
  provider: {
    parts: ["client_secret"],
    changing: () => ["client_secret"],
    outage: () => undefined,
    references: ({ admin }) => ["secret" in admin ? admin.secret : admin.assertion],
    propagationMs: () => 300_000,
    open: (checked, access) => Promise.resolve(openAzure(checked, access)),
  },
};

const listed = z.object({
  appId: z.string(),
  passwordCredentials: z.array(
    z.object({ keyId: z.string(), displayName: z.string().nullish(), hint: z.string().nullish() }),
  ),
});
const added = z.object({ keyId: z.string(), secretText: z.string().min(1) });

function openAzure(checked: AzureAppSecretOptions, access: ServiceAccess): MintedProvider {
  const { application, client, name, days } = checked;
  const send = createGraphClient(checked, access);
  const login: AzureLogin = loginOf(checked);
  const path = ["v1.0", "applications", application];

  async function readApplication() {
    const query = { $select: "id,appId,displayName,passwordCredentials" };
    const found = readAnswer(listed, await send({ method: "GET", path, query, expect: [200] }));
    if (found.appId.toLowerCase() === client.toLowerCase()) return found;
    throw new ProviderFailure("rejected", "the application and the client of the rule are not the same", {
      hints: ["application is the object id of the app registration, client its application (client) id"],
    });
  }
  const list = async () => (await readApplication()).passwordCredentials;
  const probe = async (secret: Secret | undefined) =>
    secret === undefined
      ? "unknown"
      : await askLiveness(async () => await probeAzureSecret(login, client, secret, access));

  return {
    kind: "minted",
    async preflight() {
      const count = (await list()).length;
      return [
        `the application has ${count} client secrets`,
        "whether the administrator may add and remove secrets shows only when it does",
      ];
    },
    async identify(parts) {
      const secret = parts["client_secret"];
      const text = secret?.revealText() ?? "";
      const alike = (await list()).filter(
        ({ hint }) => typeof hint === "string" && hint !== "" && text.startsWith(hint),
      );
      if (alike.length > 1) {
        throw new ProviderFailure("rejected", "several secrets of the application begin like the present value", {
          hints: ["remove those that nothing uses, and try again"],
        });
      }
      const [found] = (await probe(secret)) === "dead" ? [] : alike;
      return found === undefined ? undefined : { id: found.keyId, parts };
    },
    inventory: async () => (await list()).map(({ keyId }) => keyId),
    async mint(tag) {
      const endDateTime = new Date(access.now().getTime() + days * dayMs).toISOString();
      const json = { passwordCredential: { displayName: printMintName(name, tag), endDateTime } };
      const answer = await send({ method: "POST", path: [...path, "addPassword"], body: { json }, expect: [200] });
      const { keyId, secretText } = readAnswer(added, answer);
      return { id: keyId, parts: { client_secret: Secret.text(secretText) } };
    },
    async isTagged(id, tag) {
      const found = (await list()).find(({ keyId }) => keyId === id);
      return found?.displayName === printMintName(name, tag);
    },
    probe: async ({ parts }) => await probe(parts["client_secret"]),
    async revoke({ id }) {
      const remove = { method: "POST", path: [...path, "removePassword"], body: { json: { keyId: id } } } as const;
      const { status } = await send({ ...remove, expect: [204, 400, 404] });
      if (status === 204 || (await list()).every(({ keyId }) => keyId !== id)) return;
      throw new ProviderFailure("rejected", `Microsoft Graph did not remove a secret, with status ${status}`);
    },
    close: () => Promise.resolve(),
  };
}

function loginOf({ login, tenant, graph }: AzureAppSecretOptions): AzureLogin {
  // For a Graph of this machine, in tests, the scope is that of the real one.
  const audience = graphHosts.includes(new URL(graph).hostname) ? new URL(graph).origin : "https://graph.microsoft.com";
  return { endpoint: login, tenant, scope: `${audience}/.default` };
}

/** Sends with a token of the administrator, which is kept while it is good. */
function createGraphClient(checked: AzureAppSecretOptions, access: ServiceAccess) {
  const { admin, graph } = checked;
  const prove = async (): Promise<AzureProof> =>
    "secret" in admin ? { secret: access.read(admin.secret) } : { assertion: await readFresh(admin.assertion, access) };
  const http = createServiceClient("azure-app-secret", {
    baseUrl: graph,
    timeoutMs: access.timeoutMs,
    // Two changes of one application at once: the later one is to try again.
    classify: (status) => (status === 404 ? "auth" : status === 409 || status === 423 ? "transient" : undefined),
  });
  let held: { readonly token: Secret; readonly until: number } | undefined;
  return async (request: HttpRequest) => {
    const now = access.now().getTime();
    if (held === undefined || held.until <= now) {
      const { token, seconds } = await requestAzureToken(loginOf(checked), admin.client, await prove(), access);
      held = { token, until: now + (seconds - 60) * 1000 };
    }
    return await http.send({ ...request, headers: { authorization: printBearer(held.token) } });
  };
}
