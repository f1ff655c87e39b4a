import { z } from "zod";
import { isServiceUrl, type HttpAnswer, type HttpRequest } from "../net/http-client.ts";
import { ProviderFailure } from "../net/provider-failure.ts";
import { Secret } from "../secret/secret.ts";
import { readKubeconfig, type KubeAccess } from "./kubeconfig.ts";
import { readAnswer } from "./service-answer.ts";
import { printBearer } from "./service-authorization.ts";
import type { ServiceAccess } from "./service-access.ts";
import { createTargetClient } from "./service-client.ts";
import { secretReference, type SecretReference } from "./secret-reference.ts";
import { authorityReferences, readAuthority, trustedAuthority } from "./trusted-authority.ts";

/** A label of DNS (RFC 1123), as a namespace is one. */
export const kubernetesNamespace = z.string().regex(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/, {
  error: "a namespace is a-z, 0-9 and -, at most 63 characters",
});
/** A subdomain of DNS (RFC 1123), as most objects have one for a name. */
export const kubernetesName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/, {
    error: "a name is a-z, 0-9, - and ., and begins and ends with a letter or a digit",
  });

/** Options that say where an API server is: by itself, or in a kubeconfig. */
export const kubernetesServer = z.union([
  z.strictObject({
    /** Such as `https://k8s.example.com:6443`. */
    api: z.string().refine((text) => isServiceUrl(text), { error: "api is https, or http on this machine" }),
    ca: trustedAuthority.exactOptional(),
    token: secretReference,
  }),
  z.strictObject({
    /** The text of a kubeconfig, or the path of one. */
    kubeconfig: secretReference,
    context: z
      .string()
      .regex(/^[\x21-\x7e]{1,253}$/)
      .exactOptional(),
  }),
]);
export type KubernetesServer = z.infer<typeof kubernetesServer>;

/** The references in it. */
export function kubernetesReferences(server: KubernetesServer): readonly SecretReference[] {
  return "kubeconfig" in server ? [server.kubeconfig] : [server.token, ...authorityReferences(server.ca)];
}

/** A Secret of Kubernetes as far as it is looked at. */
export interface KubernetesSecret {
  readonly type: string;
  readonly isImmutable: boolean;
  readonly isBeingDeleted: boolean;
  readonly resourceVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly data: ReadonlyMap<string, Secret>;
  /** Keys of `data` that a manager owns by server-side apply. */
  ownedBy(manager: string): ReadonlySet<string>;
  /** The newest change of any manager, in milliseconds since 1970. */
  readonly changedAtMs: number | undefined;
}

/** What an API server said to an apply. */
export type Applied =
  | { readonly outcome: "done"; readonly secret: KubernetesSecret }
  /** Nothing was written: these fields, such as `.data.KEY`, are others'. */
  | { readonly outcome: "conflict"; readonly fields: readonly string[] };

/** Secrets of one API server. Every call throws ProviderFailure. */
export interface KubernetesClient {
  findSecret(namespace: string, name: string): Promise<KubernetesSecret | undefined>;
  /** Server-side apply. Throws `transient` when the object changed since the resource version in `manifest`. */
  applySecret(manifest: SecretManifest, manager: string, isForced: boolean): Promise<Applied>;
  /** Throws `auth` when one may not use `verb` on the Secret. */
  checkRight(verb: string, namespace: string, name: string): Promise<void>;
}

/** A Secret that is applied: the fields that we want to own, no more. */
export interface SecretManifest {
  readonly apiVersion: "v1";
  readonly kind: "Secret";
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion?: string;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly type: string;
  /** Base64 of the bytes. */
  readonly data: Readonly<Record<string, Secret>>;
}

const fields = z.record(z.string(), z.unknown());
const readSecret = z.object({
  kind: z.literal("Secret"),
  type: z.string().default("Opaque"),
  immutable: z.boolean().default(false),
  data: z.record(z.string(), z.base64().nullable()).nullish(),
  metadata: z.object({
    resourceVersion: z.string(),
    deletionTimestamp: z.string().nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
    managedFields: z
      .array(
        z.object({
          manager: z.string().default(""),
          operation: z.string().default(""),
          subresource: z.string().default(""),
          time: z.string().default(""),
          fieldsV1: fields.default({}),
        }),
      )
      .nullish(),
  }),
});
const status = z.object({
  details: z
    .object({
      causes: z.array(z.object({ reason: z.string().default(""), field: z.string().default("") })).default([]),
    })
    .default({ causes: [] }),
});
const review = z.object({ status: z.object({ allowed: z.boolean() }) });

/** Connects to an API server. Throws ProviderFailure `auth` for a kubeconfig that cannot be used. */
export async function openKubernetesClient(server: KubernetesServer, access: ServiceAccess): Promise<KubernetesClient> {
  const held = await readAccess(server, access);
  const http = createTargetClient("kubernetes", {
    baseUrl: held.api,
    timeoutMs: access.timeoutMs,
    ca: held.ca,
    clientCertificate: held.clientCertificate,
    ...(held.token === undefined ? {} : { headers: { authorization: printBearer(held.token) } }),
  });
  const secretPath = (namespace: string, name: string) => ["api", "v1", "namespaces", namespace, "secrets", name];

  return {
    async findSecret(namespace, name) {
      const request: HttpRequest = { method: "GET", path: secretPath(namespace, name), expect: [200, 404] };
      const answer = await http.send(request);
      return answer.status === 404 ? undefined : secretOf(answer);
    },
    async applySecret(manifest, manager, isForced) {
      const { name, namespace, resourceVersion } = manifest.metadata;
      const answer = await http.send({
        method: "PATCH",
        path: secretPath(namespace, name),
        query: { fieldManager: manager, force: String(isForced) },
        headers: { "content-type": "application/apply-patch+yaml" },
        body: { json: manifest },
        expect: [200, 201, 404, 409, 422],
      });
      if (answer.status === 200 || answer.status === 201) return { outcome: "done", secret: secretOf(answer) };
      if (answer.status === 422)
        throw refused("Kubernetes does not take the Secret", "its type may ask for certain keys");
      if (answer.status === 404 && resourceVersion === undefined) {
        throw refused(`there is no namespace ${namespace}`, `make it: kubectl create namespace ${namespace}`);
      }
      const causes = answer.status === 409 ? readAnswer(status, answer).details.causes : [];
      const conflicts = causes.filter(({ reason }) => reason === "FieldManagerConflict").map(({ field }) => field);
      if (conflicts.length > 0) return { outcome: "conflict", fields: conflicts };
      throw new ProviderFailure("transient", "the Secret changed since it was looked at");
    },
    async checkRight(verb, namespace, name) {
      const resourceAttributes = { verb, group: "", version: "v1", resource: "secrets", namespace, name };
      const json = {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes },
      };
      const path = ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"];
      const answer = await http.send({ method: "POST", path, body: { json }, expect: [201, 403, 404] });
      // Whoever may not ask is told by the write itself.
      if (answer.status !== 201 || readAnswer(review, answer).status.allowed) return;
      throw new ProviderFailure("auth", `the user of Kubernetes may not ${verb} the Secret`, {
        hints: ["docs/targets/kubernetes.md has the role that it needs"],
      });
    },
  };
}

async function readAccess(server: KubernetesServer, access: ServiceAccess): Promise<KubeAccess> {
  if ("kubeconfig" in server) return await readKubeconfig(access.read(server.kubeconfig), server.context);
  return {
    api: server.api,
    ca: readAuthority(server.ca, access),
    token: access.read(server.token),
    clientCertificate: undefined,
    namespace: undefined,
  };
}

function refused(message: string, hint: string): ProviderFailure {
  return new ProviderFailure("rejected", message, { hints: [hint] });
}

function secretOf(answer: HttpAnswer): KubernetesSecret {
  const { type, immutable, data, metadata } = readAnswer(readSecret, answer);
  const managers = metadata.managedFields ?? [];
  const times = managers.map(({ time }) => Date.parse(time)).filter((time) => !Number.isNaN(time));
  return {
    type,
    isImmutable: immutable,
    isBeingDeleted: typeof metadata.deletionTimestamp === "string",
    resourceVersion: metadata.resourceVersion,
    annotations: metadata.annotations ?? {},
    data: new Map(
      Object.entries(data ?? {}).map(([key, it]) => [key, Secret.fromBytes(Buffer.from(it ?? "", "base64"))]),
    ),
    ownedBy(manager) {
      const own = managers.filter((it) => it.manager === manager && it.operation === "Apply" && it.subresource === "");
      const keys = own.flatMap(({ fieldsV1 }) => Object.keys(fields.catch({}).parse(fieldsV1["f:data"])));
      return new Set(keys.filter((key) => key.startsWith("f:")).map((key) => key.slice(2)));
    },
    changedAtMs: times.length === 0 ? undefined : Math.max(...times),
  };
}
