import { createHash } from "node:crypto";
import { z } from "zod";
import { findSshPublicKey, type SshPublicKey } from "../../crypto/ssh-public-key.ts";
import { ProviderFailure } from "../../net/provider-failure.ts";
import type { Secret } from "../../secret/secret.ts";
import { findPublicKeyOfFile } from "../generators/ssh-private-file.ts";
import type { ChosenProvider, Credential } from "./provider.ts";
import type { Rotator } from "./rotator.ts";
import { githubApi, githubClientOptions, githubRepository, listGithub } from "../../services/github-client.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { secretReference } from "../../services/secret-reference.ts";
import { askLiveness, readAnswer } from "../../services/service-answer.ts";
import { createServiceClient } from "../../services/service-client.ts";

const options = z.strictObject({
  repository: githubRepository,
  /** May administrate the repository. */
  token: secretReference,
  /** False gives the key the right to push. */
  read_only: z.boolean().default(true),
  /** What the key is called at GitHub, before its fingerprint. */
  title: z
    .string()
    .regex(/^[ -~]{1,60}$/)
    .default("sealtree"),
  api: githubApi,
});
type GithubDeployKeyOptions = z.infer<typeof options>;

/** SSH keys that belong to one repository (REST API, version 2022-11-28). A key cannot be changed, only added and removed. */
export const githubDeployKeyRotator: Rotator<GithubDeployKeyOptions> = {
  name: "github-deploy-key",
  kind: "chosen",
  describe: "a deploy key of a repository at GitHub",
  options,
  provider: {
    parts: ["private_key"],
    changing: () => ["private_key"],
    outage: () => undefined,
    references: ({ token }) => [token],
    propagationMs: () => 60_000,
    open: async (checked, access) => openGithub(checked, access),
  },
};

const listed = z.array(
  z.object({ id: z.int(), key: z.string(), read_only: z.boolean(), enabled: z.boolean().optional() }),
);
const repositoryAnswer = z.object({ archived: z.boolean(), permissions: z.object({ admin: z.boolean() }).optional() });

function openGithub(checked: GithubDeployKeyOptions, access: ServiceAccess): ChosenProvider {
  const { repository, token, read_only, title, api } = checked;
  const path = ["repos", ...repository.split("/")];
  const client = createServiceClient("github-deploy-key", githubClientOptions(api, access.read(token), access));

  const listKeys = async () => await listGithub(client, [...path, "keys"], listed, (keys) => keys);
  const findKey = async (id: string) =>
    (await listKeys()).find(({ key }) => fingerprintOf(findSshPublicKey(key)) === id);

  return {
    kind: "chosen",
    async preflight() {
      const answer = await client.send({ method: "GET", path, expect: [200] });
      const { archived, permissions } = readAnswer(repositoryAnswer, answer);
      if (archived) throw new ProviderFailure("rejected", "the repository is archived, and its keys cannot be changed");
      if (permissions?.admin === false) {
        throw new ProviderFailure("auth", "the token may not administrate the repository", {
          hints: ["a fine-grained token needs the permission Administration: read and write"],
        });
      }
      return [`${repository} has ${(await listKeys()).length} deploy keys`];
    },
    async identify(parts) {
      const id = fingerprintOf(findPublicKeyOfFile(parts["private_key"]?.revealText() ?? ""));
      return id === undefined || (await findKey(id)) === undefined ? undefined : { id, parts };
    },
    async choose() {
      const { sshKeyGenerator } = await import("../generators/ssh-key.ts");
      const value = await sshKeyGenerator.generate(sshKeyGenerator.options.parse({ key: "ed25519" }), access);
      return { id: fingerprintOf(publicKeyOf(value)) ?? "", parts: { private_key: value } };
    },
    recall({ private_key: earlier }) {
      const id = fingerprintOf(findPublicKeyOfFile(earlier?.revealText() ?? ""));
      if (earlier === undefined || id === undefined)
        throw new ProviderFailure("rejected", "that value is not a private key of SSH");
      return Promise.resolve({ id, parts: { private_key: earlier } });
    },
    async apply(next) {
      const key = publicKeyOf(next.parts["private_key"]);
      const json = { title: `${title} ${hexOf(key)}`, key: key.text, read_only };
      const answer = await client.send({ method: "POST", path: [...path, "keys"], body: { json }, expect: [201, 422] });
      if (answer.status === 422) await checkApplied(next);
    },
    // GitHub has no call for it, and a login by SSH needs a program: a key that it lists is let in.
    probe: async ({ id }) =>
      await askLiveness(async () => {
        const found = await findKey(id);
        return found === undefined || found.enabled === false ? "dead" : "live";
      }),
    async revoke({ id }) {
      const found = await findKey(id);
      if (found === undefined) return;
      await client.send({ method: "DELETE", path: [...path, "keys", String(found.id)], expect: [204, 404] });
    },
    close: () => Promise.resolve(),
  };

  /** A key that GitHub has already, anywhere, is refused: it may be from our own last try. */
  async function checkApplied({ id }: Credential): Promise<void> {
    const found = await findKey(id);
    if (found?.read_only === read_only) return;
    throw new ProviderFailure("rejected", "GitHub did not take the deploy key", {
      hints: ["a key can be used for one repository only, and an organisation may forbid deploy keys"],
    });
  }
}

function publicKeyOf(value: Secret | undefined): SshPublicKey {
  const key = findPublicKeyOfFile(value?.revealText() ?? "");
  if (key !== undefined) return key;
  throw new ProviderFailure("rejected", "the value is not a private key in OpenSSH's format");
}

/** As `ssh-keygen -l` prints it. */
function fingerprintOf(key: SshPublicKey | undefined): string | undefined {
  if (key === undefined) return undefined;
  return `SHA256:${createHash("sha256").update(key.blob).digest("base64").replace(/=+$/, "")}`;
}

function hexOf({ blob }: SshPublicKey): string {
  return createHash("sha256").update(blob).digest("hex").slice(0, 16);
}
