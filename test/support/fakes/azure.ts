import { randomUUID } from "node:crypto";
import { startDescribedApi, type ApiReply, type DescribedApi } from "./described-api.ts";

interface HeldSecret {
  readonly keyId: string;
  readonly secretText: string;
  readonly displayName: string;
  readonly endDateTime: string;
  readonly hint: string;
}

export interface FakeAzure {
  readonly graph: DescribedApi;
  readonly login: DescribedApi;
  readonly secrets: HeldSecret[];
  readonly application: string;
  readonly client: string;
  readonly admin: string;
  /** As a person would in the portal. */
  addSecret(name: string): HeldSecret;
  readonly stop: () => Promise<void>;
}

const token = "test-graph-token";
/** By the scope that they are for. */
const tokens: Readonly<Record<string, string>> = {
  "https://graph.microsoft.com/.default": token,
  "https://vault.azure.net/.default": "test-vault-token",
};

/** Microsoft identity platform, "Get a token" of the client credentials flow: fields and answers. */
const loginPaths = {
  "/{tenant}/oauth2/v2.0/token": {
    post: {
      parameters: [{ name: "tenant", in: "path", required: true, schema: { type: "string" } }],
      requestBody: {
        required: true,
        content: {
          "application/x-www-form-urlencoded": {
            schema: {
              type: "object",
              required: ["client_id", "scope", "grant_type"],
              properties: {
                client_id: { type: "string" },
                scope: { type: "string" },
                grant_type: { type: "string", enum: ["client_credentials"] },
                client_secret: { type: "string" },
                client_assertion: { type: "string" },
                client_assertion_type: {
                  type: "string",
                  enum: ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
                },
              },
            },
          },
        },
      },
      responses: { 200: { content: { "application/json": { schema: { type: "object" } } } } },
    },
  },
} as const;

/**
 * One application in the directory `test.example`, by the published OpenAPI description of Graph,
 * and the place where tokens are had. A secret is shown once. `isAssertion` says what the administrator
 * may prove itself with.
 */
export async function startFakeAzure(
  isAssertion: (text: string) => boolean = (text) => text === "test-admin-assertion",
): Promise<FakeAzure> {
  const [application, client, admin] = [randomUUID(), randomUUID(), randomUUID()];
  const secrets: HeldSecret[] = [];
  let made = 0;
  const addSecret = (displayName: string, endDateTime = "2030-01-01T00:00:00Z"): HeldSecret => {
    const hint = `${(++made + 100).toString(36)}~`.slice(0, 3);
    const secret = { keyId: randomUUID(), secretText: `${hint}test-secret-${made}`, displayName, endDateTime, hint };
    secrets.push(secret);
    return secret;
  };
  const graph = await startDescribedApi({
    description: "microsoft-graph",
    base: "/v1.0",
    headers: { authorization: /^Bearer \S+$/ },
    answer({ operation, params, body, header }): ApiReply {
      if (header("authorization") !== `Bearer ${token}`) return refused(401, "InvalidAuthenticationToken");
      if (params["application_id"] !== application) return refused(404, "Request_ResourceNotFound");
      if (operation.startsWith("GET")) {
        const passwordCredentials = secrets.map((it) => ({ ...it, secretText: null }));
        return { status: 200, json: { id: application, appId: client, displayName: "test", passwordCredentials } };
      }
      if (operation.endsWith("/addPassword")) {
        const asked = body["passwordCredential"] as { displayName: string; endDateTime: string };
        return { status: 200, json: addSecret(asked.displayName, asked.endDateTime) };
      }
      const index = secrets.findIndex(({ keyId }) => keyId === body["keyId"]);
      if (index === -1) return refused(400, "Request_BadRequest");
      secrets.splice(index, 1);
      return { status: 204 };
    },
  });
  const login = await startDescribedApi({
    additions: loginPaths,
    answer({ params, body }): ApiReply {
      const deny = (code: number): ApiReply => ({
        status: 401,
        json: { error: "invalid_client", error_description: `AADSTS${code}`, error_codes: [code] },
      });
      const granted = tokens[String(body["scope"])];
      if (params["tenant"] !== "test.example" || granted === undefined) return deny(90_002);
      const grant = (text: string): ApiReply => ({
        status: 200,
        json: { token_type: "Bearer", expires_in: 3599, access_token: text },
      });
      if (body["client_id"] === client) {
        return secrets.some((it) => it.secretText === body["client_secret"]) ? grant("test-token") : deny(7_000_215);
      }
      if (body["client_id"] !== admin) return deny(700_016);
      const isKnown = body["client_secret"] === "test-admin-secret" || isAssertion(String(body["client_assertion"]));
      return isKnown ? grant(granted) : deny(7_000_215);
    },
  });
  const stop = async () => {
    await graph.stop();
    await login.stop();
  };
  return { graph, login, secrets, application, client, admin, addSecret, stop };
}

function refused(status: number, code: string): ApiReply {
  return { status, json: { error: { code, message: "test" } } };
}
