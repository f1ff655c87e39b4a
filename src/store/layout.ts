import { isScopePath, isSecretName, type Address, type ScopePath, type SecretName } from "../secret/address.ts";

/** Where things stand in a repository. Paths are relative to its root, with `/`. */
export const secretsDirectory = "secrets";
export const policiesDirectory = "policies";
export const membersDirectory = "policies/members";
export const accessPolicyPath = "policies/access.yaml";
export const rotationPolicyPath = "policies/rotation.yaml";
export const deployPolicyPath = "policies/deploy.yaml";
export const secretSchemaPath = "policies/schema.yaml";
export const attributesPath = ".gitattributes";
export const modulesPath = ".gitmodules";

/** `secrets/prod/api.yaml` */
export function scopeFilePath(scope: ScopePath): string {
  return `${secretsDirectory}/${scope}.yaml`;
}

/** `secrets/prod/api.keys` */
export function keyringDirectory(scope: ScopePath): string {
  return `${secretsDirectory}/${scope}.keys`;
}

/** `secrets/prod/api.keys/<generation>.yaml` */
export function generationPath(scope: ScopePath, generation: string): string {
  return `${keyringDirectory(scope)}/${generation}.yaml`;
}

/** `secrets/prod/api.rotation/STRIPE_KEY.yaml` */
export function journalPath({ scope, name }: Address): string {
  return `${secretsDirectory}/${scope}.rotation/${name}.yaml`;
}

/** `policies/members/alice.pub` */
export function memberPath(name: string): string {
  return `${membersDirectory}/${name}.pub`;
}

/** What a file below `secrets/` is, by its path alone. */
export type SecretsPath =
  | { readonly kind: "scope"; readonly scope: ScopePath }
  | { readonly kind: "generation"; readonly scope: ScopePath; readonly generation: string }
  | { readonly kind: "journal"; readonly scope: ScopePath; readonly name: SecretName };

/** What `path` names, or undefined when nothing of ours belongs there. */
export function parseSecretsPath(path: string): SecretsPath | undefined {
  const match = /^secrets\/([^.]+)(?:\.yaml|\.(keys|rotation)\/([^/]+)\.yaml)$/.exec(path);
  const scope = match?.[1];
  if (match === null || scope === undefined || !isScopePath(scope)) return undefined;
  const [, , folder, file] = match;
  if (folder === undefined || file === undefined) return { kind: "scope", scope };
  if (folder === "keys")
    return /^[0-9a-f]{32}$/.test(file) ? { kind: "generation", scope, generation: file } : undefined;
  return isSecretName(file) ? { kind: "journal", scope, name: file } : undefined;
}
