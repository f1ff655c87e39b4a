import { z } from "zod";
import { sealBox, sealedBoxOverhead } from "../../crypto/sealed-box.ts";
import { isProviderFailure, ProviderFailure } from "../../net/provider-failure.ts";
import type { Secret } from "../../secret/secret.ts";
import { requestInstallationToken, revokeInstallationToken } from "../../services/github-app.ts";
import { githubClientOptions, listGithub, type GithubClient } from "../../services/github-client.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { readAnswer } from "../../services/service-answer.ts";
import { createTargetClient } from "../../services/service-client.ts";
import { applyEach } from "./apply-each.ts";
import { toVariableName } from "./environment-name.ts";
import {
  appPermissions,
  githubActionsOptions,
  ownerPath,
  printGithubPlace,
  secretsPath,
  type GithubActionsOptions,
} from "./github-place.ts";
import { createGithubVisibility } from "./github-visibility.ts";
import type { Change, OpenTarget, Target } from "./target.ts";

const kind = "github-actions";

/** Secrets of a repository, an environment or an organisation at GitHub (REST API, version 2022-11-28). */
export const githubActionsTarget: Target<GithubActionsOptions> = {
  describe: "secrets of GitHub Actions, Dependabot or Codespaces",
  options: githubActionsOptions,
  facts: (options) => ({
    readsBack: false,
    keepsMarks: false,
    hasVersions: false,
    comparesAndSwaps: false,
    nameRule: {
      pattern: /^(?!GITHUB_)[A-Z_][A-Z0-9_]*$/,
      says: "A-Z, 0-9 and _, not beginning with a digit or GITHUB_",
      maxLength: 255,
      ignoresCase: true,
    },
    // GitHub's limit is 48 KB, and it does not say whether it counts the seal.
    maxValueBytes: 48 * 1024 - sealedBoxOverhead,
    maxItems: maxItems(options),
    holdsBinary: false,
    ...(options.for === "codespaces"
      ? { needsAfterwards: "a codespace that runs has the new values when it is stopped and started" }
      : {}),
  }),
  references: ({ token, app }) => [token, app?.private_key].filter((it) => it !== undefined),
  place: printGithubPlace,
  toName: (name) => toVariableName(name).toUpperCase(),
  async open(options, access) {
    const { token, end } = await signIn(options, access);
    const client = createTargetClient(kind, githubClientOptions(options.api, token, access));
    return { ...openSecrets(options, client), close: end };
  },
};

const publicKeyAnswer = z.object({ key_id: z.string().min(1), key: z.base64() });
const pageOfSecrets = z.object({ secrets: z.array(z.object({ name: z.string(), updated_at: z.string() })) });

interface SealingKey {
  readonly id: string;
  readonly bytes: Uint8Array;
}

function openSecrets(options: GithubActionsOptions, client: GithubClient): Omit<OpenTarget, "close"> {
  const path = secretsPath(options);
  const visibility = createGithubVisibility(options, client, path);
  let key: SealingKey | undefined;
  /** Names that are there, as of the last look. */
  let present: ReadonlySet<string> | undefined;

  async function list() {
    const listed = await listGithub(client, path, pageOfSecrets, ({ secrets }) => secrets).catch(explainMissing);
    present = new Set(listed.map(({ name }) => name));
    return listed;
  }

  async function fetchKey(): Promise<SealingKey> {
    const answer = await client
      .send({ method: "GET", path: [...path, "public-key"], expect: [200] })
      .catch(explainMissing);
    const read = readAnswer(publicKeyAnswer, answer);
    return { id: read.key_id, bytes: Buffer.from(read.key, "base64") };
  }

  async function put(name: string, value: Secret): Promise<void> {
    const shown = await visibility.read(name);
    const used = key ?? (await fetchKey());
    if (await send(used)) return;
    // GitHub takes a box for its present key alone, and changes the key when it wants to.
    const next = await fetchKey();
    if (next.id !== used.id && (await send(next))) return;
    throw new ProviderFailure("rejected", "GitHub did not take the secret", {
      hints: [`compare the name and the length of the value with docs/targets/${kind}.md`],
    });

    async function send(sealing: SealingKey): Promise<boolean> {
      const box = sealBox(sealing.bytes, value.reveal());
      if (box === undefined) throw new ProviderFailure("unknown", "what GitHub gave to seal values with is not a key");
      key = sealing;
      const json = { encrypted_value: Buffer.from(box).toString("base64"), key_id: sealing.id, ...shown };
      const body = { json };
      const answer = await client.send({ method: "PUT", path: [...path, name], body, expect: [201, 204, 422] });
      return answer.status !== 422;
    }
  }

  /** An environment that is not there looks like a repository that is not, and like one that may not be seen. */
  async function explainMissing(error: unknown): Promise<never> {
    if (options.environment === undefined || !isProviderFailure(error) || error.class !== "auth") throw error;
    const statusOf = async (at: readonly string[]) =>
      (await client.send({ method: "GET", path: at, expect: [200, 401, 403, 404] })).status;
    if ((await statusOf([...path, "public-key"])) !== 404 || (await statusOf(ownerPath(options))) !== 200) throw error;
    throw new ProviderFailure("rejected", "the repository has no environment of the name in the policy", {
      hints: [
        "make it in the repository's settings, Environments, with the rules that it shall have; then run it again",
      ],
    });
  }

  async function checkRoom(change: Change): Promise<void> {
    const names = present ?? new Set((await list()).map(({ name }) => name));
    const added = change.writes.filter(({ name }) => !names.has(name)).length;
    const gone = change.removes.filter(({ name }) => names.has(name)).length;
    if (added === 0 || names.size + added - gone <= maxItems(options)) return;
    throw new ProviderFailure(
      "limit",
      `${names.size} secrets are there, and ${maxItems(options)} are all that can be`,
      {
        hints: ["remove at GitHub what nothing uses, or put some of the values into an environment"],
      },
    );
  }

  return {
    async inspect(names) {
      const wanted = new Set(names);
      return (await list())
        .filter(({ name }) => wanted.has(name))
        .map(({ name, updated_at }) => ({ name, changedAtMs: Date.parse(updated_at) }));
    },
    async apply(change, progress) {
      await checkRoom(change);
      const calls = {
        write: async ({ name, value }: Change["writes"][number]) => await put(name, value),
        remove: async ({ name }: { readonly name: string }) => {
          await client.send({ method: "DELETE", path: [...path, name], expect: [204, 404] });
        },
      };
      // First, so that there is room for what is new.
      await applyEach({ ...change, writes: [] }, progress, calls);
      await applyEach({ ...change, removes: [] }, progress, calls);
    },
  };
}

/** For Dependabot GitHub names no number; those of Actions are taken. */
function maxItems(options: GithubActionsOptions): number {
  return options.organization === undefined || options.for === "codespaces" ? 100 : 1000;
}

async function signIn(options: GithubActionsOptions, access: ServiceAccess) {
  const { token, app, api } = options;
  if (token !== undefined) return { token: access.read(token), end: () => Promise.resolve() };
  if (app === undefined) throw new ProviderFailure("auth", "the target has neither a token nor an App");
  const { installation } = app;
  const [id, key] = [String(app.id), access.read(app.private_key)];
  const login = { api, id, key, installation, place: ownerPath(options), permissions: appPermissions(options) };
  const granted = await requestInstallationToken(login, access);
  return { token: granted, end: async () => await revokeInstallationToken(api, granted, access) };
}
