import { generateKeyPairSync, type KeyPairKeyObjectResult, verify, X509Certificate } from "node:crypto";
import { startDescribedApi, type ApiReply, type DescribedApi } from "./described-api.ts";

interface HeldKey {
  readonly id: string;
  readonly data: string;
  disabled: boolean;
}

export interface FakeGoogle {
  readonly iam: DescribedApi;
  readonly oauth: DescribedApi;
  readonly email: string;
  readonly keys: HeldKey[];
  /** A key file of the administrator's service account. */
  readonly adminKey: string;
  readonly stop: () => Promise<void>;
}

const token = "test-iam-token";
/** Made once: primes take their time. */
let adminPair: KeyPairKeyObjectResult | undefined;
const adminEmail = "test-admin@test-project.iam.gserviceaccount.com";

/** "Using OAuth 2.0 for server to server applications": the request of the access token. */
const oauthPaths = {
  "/token": {
    post: {
      requestBody: {
        required: true,
        content: {
          "application/x-www-form-urlencoded": {
            schema: {
              type: "object",
              required: ["grant_type", "assertion"],
              properties: {
                grant_type: { type: "string", enum: ["urn:ietf:params:oauth:grant-type:jwt-bearer"] },
                assertion: { type: "string" },
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
 * The keys of a service account, by Google's discovery document of IAM, and the place where tokens
 * are had. Certificates are read, signatures checked, and there are ten keys at most.
 */
export async function startFakeGoogle(): Promise<FakeGoogle> {
  const email = "test-app@test-project.iam.gserviceaccount.com";
  const account = `projects/test-project/serviceAccounts/${email}`;
  const keys: HeldKey[] = [];
  const admin = (adminPair ??= generateKeyPairSync("rsa", { modulusLength: 2048 }));
  let made = 0;
  const shown = ({ id, disabled }: HeldKey) => {
    const name = `${account}/keys/${id}`;
    return { name, keyType: "USER_MANAGED", keyOrigin: "USER_PROVIDED", keyAlgorithm: "KEY_ALG_RSA_2048", disabled };
  };
  const iam = await startDescribedApi({
    description: "google-iam",
    headers: { authorization: /^Bearer \S+$/ },
    answer({ operation, params, query, body, header }): ApiReply {
      if (header("authorization") !== `Bearer ${token}`) return refused(401, "UNAUTHENTICATED");
      if (params["projectsId"] !== "test-project" || params["serviceAccountsId"] !== email) {
        return refused(404, "NOT_FOUND");
      }
      if (operation.endsWith("keys:upload")) {
        if (keys.length >= 10) return refused(429, "RESOURCE_EXHAUSTED");
        const certificate = new X509Certificate(Buffer.from(String(body["publicKeyData"]), "base64"));
        const isFit = certificate.publicKey.asymmetricKeyType === "rsa" && certificate.verify(certificate.publicKey);
        if (!isFit) return refused(400, "INVALID_ARGUMENT");
        const key = { id: `test${++made}`, data: String(body["publicKeyData"]), disabled: false };
        keys.push(key);
        return { status: 200, json: shown(key) };
      }
      if (operation.endsWith("/keys")) {
        return { status: 200, json: keys.length === 0 ? {} : { keys: keys.map(shown) } };
      }
      const key = keys.find(({ id }) => id === params["keysId"]);
      if (key === undefined) return refused(404, "NOT_FOUND");
      if (operation.startsWith("GET")) {
        const isPem = query.get("publicKeyType") === "TYPE_X509_PEM_FILE";
        return { status: 200, json: { ...shown(key), ...(isPem ? { publicKeyData: key.data } : {}) } };
      }
      if (operation.startsWith("DELETE")) keys.splice(keys.indexOf(key), 1);
      else key.disabled = operation.endsWith(":disable");
      return { status: 200, json: {} };
    },
  });
  const oauth = await startDescribedApi({
    additions: oauthPaths,
    answer({ body }): ApiReply {
      const [head = "", claims = "", signature = ""] = String(body["assertion"]).split(".");
      const { iss, aud, iat, exp, scope } = JSON.parse(Buffer.from(claims, "base64url").toString()) as {
        readonly [name: string]: unknown;
      };
      const now = Date.now() / 1000;
      const isNow = Number(iat) <= now + 60 && Number(exp) > now && Number(exp) - Number(iat) <= 3600;
      const live = keys.filter(({ disabled }) => !disabled);
      const held = live.map(({ data }) => new X509Certificate(Buffer.from(data, "base64")).publicKey);
      const known = iss === email ? held : iss === adminEmail ? [admin.publicKey] : [];
      const signed = Buffer.from(`${head}.${claims}`);
      const isSigned = known.some((key) => verify("sha256", signed, key, Buffer.from(signature, "base64url")));
      const isFit = aud === "https://oauth2.googleapis.com/token" && typeof scope === "string" && isNow && isSigned;
      if (!isFit) return { status: 400, json: { error: "invalid_grant", error_description: "Invalid JWT Signature." } };
      const text = iss === adminEmail ? token : "test-token";
      return { status: 200, json: { access_token: text, expires_in: 3599, token_type: "Bearer" } };
    },
  });
  const adminKey = JSON.stringify({
    type: "service_account",
    client_email: adminEmail,
    private_key_id: "test",
    private_key: admin.privateKey.export({ format: "pem", type: "pkcs8" }),
  });
  const stop = async () => {
    await iam.stop();
    await oauth.stop();
  };
  return { iam, oauth, email, keys, adminKey, stop };
}

function refused(code: number, status: string): ApiReply {
  return { status: code, json: { error: { code, status, message: "test" } } };
}
