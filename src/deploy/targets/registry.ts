import type { Target } from "./target.ts";

/** Every kind of target by the name that the policy gives. One is loaded when it is first named. */
const targets: Readonly<Record<string, () => Promise<Target<unknown>>>> = {
  vault: async () => (await import("./vault.ts")).vaultTarget,
  kubernetes: async () => (await import("./kubernetes.ts")).kubernetesTarget,
  "sealed-secret": async () => (await import("./sealed-secret.ts")).sealedSecretTarget,
  "external-secret": async () => (await import("./external-secret.ts")).externalSecretTarget,
  exec: async () => (await import("./exec.ts")).execTarget,
  dotenv: async () => (await import("./dotenv.ts")).dotenvTarget,
  "aws-secrets-manager": async () => (await import("./aws-secrets-manager.ts")).awsSecretsManagerTarget,
  "aws-ssm": async () => (await import("./aws-ssm.ts")).awsSsmTarget,
  "azure-key-vault": async () => (await import("./azure-key-vault.ts")).azureKeyVaultTarget,
  "gcp-secret-manager": async () => (await import("./gcp-secret-manager.ts")).gcpSecretManagerTarget,
  postgres: async () => (await import("./postgres.ts")).postgresTarget,
  sqlite: async () => (await import("./sqlite.ts")).sqliteTarget,
  cloudflare: async () => (await import("./cloudflare.ts")).cloudflareTarget,
  fly: async () => (await import("./fly.ts")).flyTarget,
  "github-actions": async () => (await import("./github-actions.ts")).githubActionsTarget,
  gitlab: async () => (await import("./gitlab.ts")).gitlabTarget,
  heroku: async () => (await import("./heroku.ts")).herokuTarget,
  netlify: async () => (await import("./netlify.ts")).netlifyTarget,
  vercel: async () => (await import("./vercel.ts")).vercelTarget,
};

/** The names of all kinds. */
export const targetKinds = Object.keys(targets);

/** What a kind is; undefined for a name that is none. */
export async function loadTarget(kind: string): Promise<Target<unknown> | undefined> {
  return Object.hasOwn(targets, kind) ? await targets[kind]?.() : undefined;
}
