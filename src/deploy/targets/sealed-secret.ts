import { createHash, X509Certificate, constants, createCipheriv, publicEncrypt, type KeyObject } from "node:crypto";
import { z } from "zod";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import { isSealtreeError } from "../../errors.ts";
import { decodeUtf8 } from "../../secret/utf8.ts";
import { kubernetesName, kubernetesNamespace } from "../../services/kubernetes-client.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { sealedManifestFacts, secretType } from "./kubernetes-names.ts";
import { manifestPath } from "./manifest-file.ts";
import { openManifest } from "./manifest-target.ts";
import { textCells } from "./secret-manifest.ts";
import type { OpenTarget, Target } from "./target.ts";

const options = z.strictObject({
  file: manifestPath,
  namespace: kubernetesNamespace,
  /** Of the Secret that the controller makes. */
  name: kubernetesName,
  type: secretType,
  /** Where the controller will open it: under this name alone, in this namespace, or anywhere. */
  scope: z.enum(["strict", "namespace-wide", "cluster-wide"]).default("strict"),
  /** The controller's certificate, which is public: PEM, or its path in the repository. */
  certificate: z.union(
    [
      z.string().regex(/^\s*-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s-]*-----END CERTIFICATE-----\s*$/),
      z.string().regex(/^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/),
    ],
    { error: "certificate is the PEM text of the controller's certificate, or its path in the repository" },
  ),
});
type SealedSecretOptions = z.infer<typeof options>;

const scopeAnnotation = {
  strict: undefined,
  "namespace-wide": "sealedsecrets.bitnami.com/namespace-wide",
  "cluster-wide": "sealedsecrets.bitnami.com/cluster-wide",
} as const;

/** A SealedSecret (bitnami.com/v1alpha1) in the repository, which the controller of a cluster alone can open. */
export const sealedSecretTarget: Target<SealedSecretOptions> = {
  describe: "a SealedSecret manifest",
  options,
  facts: () => ({
    ...sealedManifestFacts,
    needsAfterwards: "the manifest must be committed and applied; pods that have it as variables must be restarted",
  }),
  references: () => [],
  place: ({ file, namespace, name }) => `${file} (SealedSecret ${namespace}/${name})`,
  toName: (name) => name,
  open: async (checked, access) => openSealed(checked, await readCertificate(checked, access), access),
};

function openSealed(checked: SealedSecretOptions, key: SealingKey, access: ServiceAccess): OpenTarget {
  const { file, namespace, name, type, scope } = checked;
  const label = labelOf(checked);
  const scopeFields = Object.values(scopeAnnotation).flatMap((annotation) =>
    annotation === undefined
      ? []
      : [["metadata"], ["spec", "template", "metadata"]].map(
          (path) =>
            [[...path, "annotations", annotation], annotation === scopeAnnotation[scope] ? "true" : undefined] as const,
        ),
  );
  return openManifest<string>({
    root: access.directory ?? ".",
    file,
    apiVersion: "bitnami.com/v1alpha1",
    kind: "SealedSecret",
    mode: 0o644,
    fields: [
      [["metadata", "name"], name],
      [["metadata", "namespace"], namespace],
      [["spec", "template", "metadata", "name"], name],
      [["spec", "template", "metadata", "namespace"], namespace],
      ...scopeFields,
      [["spec", "template", "type"], type],
    ],
    cellsPath: ["spec", "encryptedData"],
    readCells: (document) => textCells(document, ["spec", "encryptedData"]),
    printCells: (cells) => Object.fromEntries(cells),
    makeCell: ({ value }) => sealForController(value.reveal(), key.publicKey, label, access),
    // What was sealed for another certificate or label is sealed again.
    madeFor: createHash("sha256").update(`${key.fingerprint}\n${label}`).digest("hex").slice(0, 16),
  });
}

/** What the controller asks for before it opens a value, so that it cannot be moved elsewhere. */
function labelOf({ scope, namespace, name }: SealedSecretOptions): string {
  if (scope === "cluster-wide") return "";
  return scope === "namespace-wide" ? namespace : `${namespace}/${name}`;
}

/**
 * Hybrid encryption of sealed-secrets: AES-256-GCM with a key for this value alone, and so with a
 * nonce of zeros; the key by RSA-OAEP with SHA-256 and the label. Bytes: the length of the sealed key
 * as two, big end first; the sealed key; the sealed value with its tag. Base64.
 */
function sealForController(value: Uint8Array, publicKey: KeyObject, label: string, { random }: ServiceAccess): string {
  const session = random(32);
  const cipher = createCipheriv("aes-256-gcm", session, new Uint8Array(12));
  const sealed = Buffer.concat([cipher.update(value), cipher.final(), cipher.getAuthTag()]);
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const sealedKey = publicEncrypt(
    { key: publicKey, padding, oaepHash: "sha256", oaepLabel: Buffer.from(label) },
    session,
  );
  const length = Buffer.alloc(2);
  length.writeUInt16BE(sealedKey.length);
  return Buffer.concat([length, sealedKey, sealed]).toString("base64");
}

interface SealingKey {
  readonly publicKey: KeyObject;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
}

async function readCertificate({ certificate }: SealedSecretOptions, access: ServiceAccess): Promise<SealingKey> {
  const pem = certificate.includes("-----BEGIN")
    ? certificate
    : await readRepositoryFile(certificate, access.directory ?? ".");
  const parsed = findCertificate(pem);
  if (parsed === undefined || parsed.publicKey.asymmetricKeyType !== "rsa") {
    throw refused("the certificate is none with an RSA key", "fetch it: kubeseal --fetch-cert > FILE");
  }
  if (Date.parse(parsed.validTo) < access.now().getTime()) {
    throw refused("the certificate has expired", "fetch the present one: kubeseal --fetch-cert > FILE");
  }
  return { publicKey: parsed.publicKey, fingerprint: parsed.fingerprint256 };
}

async function readRepositoryFile(path: string, root: string): Promise<string> {
  try {
    const bytes = await openWorkTree(root).read(path);
    if (bytes !== undefined) return decodeUtf8(bytes) ?? "";
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
  }
  throw refused(`the certificate ${path} cannot be read`, "fetch it: kubeseal --fetch-cert > FILE");
}

function findCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function refused(message: string, hint: string): ProviderFailure {
  return new ProviderFailure("rejected", message, { hints: [hint] });
}
