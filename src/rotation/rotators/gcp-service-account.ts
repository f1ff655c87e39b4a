import { createHash, createPublicKey, X509Certificate, type KeyObject } from "node:crypto";
import { z } from "zod";
import type { HttpRequest } from "../../net/http-client.ts";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { Secret } from "../../secret/secret.ts";
import { createGcpTokens, gcpCredentials, gcpReferences } from "../../services/gcp-login.ts";
import { findPrivateKey, probeGcpKey } from "../../services/gcp-token.ts";
import type { ChosenProvider } from "./provider.ts";
import type { Rotator } from "./rotator.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { askLiveness, readAnswer } from "../../services/service-answer.ts";
import { printBearer } from "../../services/service-authorization.ts";
import { createServiceClient } from "../../services/service-client.ts";
import { serviceEndpoint } from "../../services/service-endpoint.ts";

const options = z.strictObject({
  project: z.string().regex(/^[a-z0-9][a-z0-9.:-]{3,62}[a-z0-9]$/),
  /** The service account. */
  email: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}@[a-z0-9][a-z0-9.-]{2,127}$/),
  admin: gcpCredentials,
  /** How long a key is good; longer than the interval with its grace. */
  days: z.int().min(2).max(3650).default(365),
  iam: serviceEndpoint("iam.googleapis.com").default("https://iam.googleapis.com"),
  oauth: serviceEndpoint("oauth2.googleapis.com").default("https://oauth2.googleapis.com"),
});
type GcpServiceAccountOptions = z.infer<typeof options>;

/** A service account has ten keys at most (IAM quotas). */
const maxKeys = 10;

/**
 * Keys of a service account, of which Google gets the public half alone (IAM API v1,
 * `keys:upload`): the key is made here, and no answer ever has it.
 */
export const gcpServiceAccountRotator: Rotator<GcpServiceAccountOptions> = {
  name: "gcp-service-account",
  kind: "chosen",
  describe: "a key of a service account at Google Cloud, whose public half is uploaded",
  options,
  provider: {
    parts: ["private_key"],
    changing: () => ["private_key"],
    outage: () => undefined,
    references: ({ admin }) => gcpReferences(admin),
    propagationMs: () => 300_000,
    open: (checked, access) => Promise.resolve(openGcp(checked, access)),
  },
};

const listed = z.object({
  keys: z.array(z.object({ name: z.string(), disabled: z.boolean().default(false) })).default([]),
});
const read = z.object({ publicKeyData: z.base64() });

function openGcp(checked: GcpServiceAccountOptions, access: ServiceAccess): ChosenProvider {
  const { project, email, days, oauth } = checked;
  const send = createIamClient(checked, access);
  const account = ["v1", "projects", project, "serviceAccounts", email];

  async function list() {
    const query = { keyTypes: "USER_MANAGED" };
    const { keys } = readAnswer(
      listed,
      await send({ method: "GET", path: [...account, "keys"], query, expect: [200] }),
    );
    return keys.map(({ name, disabled }) => ({ keyId: name.slice(name.lastIndexOf("/") + 1), isDisabled: disabled }));
  }
  async function findKey(id: string) {
    for (const key of await list()) {
      const query = { publicKeyType: "TYPE_X509_PEM_FILE" };
      const answer = await send({ method: "GET", path: [...account, "keys", key.keyId], query, expect: [200, 404] });
      if (answer.status === 200 && idOfCertificate(readAnswer(read, answer).publicKeyData) === id) return key;
    }
    return undefined;
  }
  async function change(id: string, verb: "disable" | "enable"): Promise<void> {
    const key = await findKey(id);
    if (key === undefined) throw new ProviderFailure("rejected", "the service account does not have the key any more");
    if (key.isDisabled === (verb === "disable")) return;
    await send({
      method: "POST",
      path: [...account, "keys", `${key.keyId}:${verb}`],
      body: { json: {} },
      expect: [200],
    });
  }

  return {
    kind: "chosen",
    async preflight() {
      const count = (await list()).length;
      if (count < maxKeys) return [`${email} has ${count} keys of at most ${maxKeys}`];
      throw new ProviderFailure("limit", `the service account has ${count} keys, and Google allows no more`, {
        hints: [`remove one that nothing uses: gcloud iam service-accounts keys list --iam-account ${email}`],
      });
    },
    async identify(parts) {
      const key = findPrivateKey(parts["private_key"]?.revealText());
      if (key === undefined) return undefined;
      const id = idOf(key);
      return (await findKey(id)) === undefined ? undefined : { id, parts };
    },
    async choose() {
      const { makePrivateKey } = await import("../generators/key-pair.ts");
      const { printPrivateKey } = await import("../generators/pem-key.ts");
      const key = await makePrivateKey({ type: "rsa", bits: 2048 }, access.random);
      return { id: idOf(key), parts: { private_key: Secret.text(printPrivateKey(key)) } };
    },
    recall({ private_key: earlier }) {
      const key = findPrivateKey(earlier?.revealText());
      if (earlier === undefined || key === undefined)
        throw new ProviderFailure("rejected", "that value is not a private key in PEM");
      return Promise.resolve({ id: idOf(key), parts: { private_key: earlier } });
    },
    async apply(next) {
      const key = findPrivateKey(next.parts["private_key"]?.revealText());
      if (key === undefined) throw new ProviderFailure("rejected", "the value is not a private key in PEM");
      if ((await findKey(next.id)) !== undefined) return;
      const { printCertificate } = await import("../generators/x509.ts");
      const content = { cn: "unused", dns: [], ip: [], uri: [], email: [], days };
      const certificate = printCertificate(key, content, access.now());
      const json = { publicKeyData: Buffer.from(certificate).toString("base64") };
      await send({ method: "POST", path: [...account, "keys:upload"], body: { json }, expect: [200] });
    },
    async probe({ parts }) {
      const key = findPrivateKey(parts["private_key"]?.revealText());
      if (key === undefined) return "dead";
      return await askLiveness(async () => await probeGcpKey({ endpoint: oauth, email, key }, access));
    },
    suspend: async ({ id }) => await change(id, "disable"),
    resume: async ({ id }) => await change(id, "enable"),
    async revoke({ id }) {
      const key = await findKey(id);
      if (key === undefined) return;
      await send({ method: "DELETE", path: [...account, "keys", key.keyId], expect: [200, 404] });
    },
    close: () => Promise.resolve(),
  };
}

/** Sends with a token of the administrator. */
function createIamClient({ admin, iam, oauth }: GcpServiceAccountOptions, access: ServiceAccess) {
  const http = createServiceClient("gcp-service-account", {
    baseUrl: iam,
    timeoutMs: access.timeoutMs,
    // Google says that it does not find what one may not see.
    classify: (status) => (status === 404 ? "auth" : status === 409 ? "transient" : undefined),
  });
  const token = createGcpTokens(admin, oauth, access);
  return async (request: HttpRequest) =>
    await http.send({ ...request, headers: { authorization: printBearer(await token()) } });
}

/** The SHA-256 of a public key: no id of Google's, which is known only when it has the key. */
function idOf(key: KeyObject): string {
  const bytes = createPublicKey(key).export({ format: "der", type: "spki" });
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function idOfCertificate(data: string): string | undefined {
  try {
    const bytes = new X509Certificate(Buffer.from(data, "base64")).publicKey.export({ format: "der", type: "spki" });
    return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  } catch {
    return undefined;
  }
}
