import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  requestInstallationToken,
  revokeInstallationToken,
  type GithubAppLogin,
} from "../../src/services/github-app.ts";
import { Secret } from "../../src/secret/secret.ts";
import { startFakeGithubSecrets, type FakeGithubSecrets } from "../support/fakes/github-secrets.ts";
import { providerAccess } from "../support/provider-access.ts";

const access = providerAccess({});
const askToken = "POST /app/installations/{installation_id}/access_tokens";
let github: FakeGithubSecrets;

beforeEach(async () => {
  github = await startFakeGithubSecrets();
});
afterEach(async () => await github.stop());

describe("a GitHub App", () => {
  it("gets a token for one repository and the named permissions, and ends it", async () => {
    const token = await requestInstallationToken(login(), access);
    expect(github.app.accepts(token.revealText() ?? "")).toBe(true);
    expect(github.app.granted).toMatchObject([{ repositories: ["test-name"], permissions: { secrets: "write" } }]);
    await revokeInstallationToken(github.url, token, access);
    expect(github.app.accepts(token.revealText() ?? "")).toBe(false);
    await revokeInstallationToken(github.url, token, access);
  });

  it("asks for its installation unless it is told", async () => {
    await requestInstallationToken(login({ place: ["orgs", "test-org"], permissions: undefined }), access);
    expect(github.requests).toEqual(["GET /orgs/{org}/installation", askToken]);
    await requestInstallationToken(login({ installation: 4711 }), access);
    expect(github.requests.slice(2)).toEqual([askToken]);
  });

  it("is refused with another key, another id, where it is not installed, and for rights it has not", async () => {
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
      type: "pkcs8",
      format: "pem",
    });
    const ed25519 = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
    for (const changes of [
      { key: Secret.text(other.toString()) },
      { key: Secret.text(ed25519.toString()) },
      { key: Secret.text("test-canary-no-key") },
      { id: "1" },
      { place: ["repos", "test-elsewhere", "test-name"] },
      { installation: 1 },
      { permissions: { contents: "write" as const } },
    ]) {
      const failure = await requestInstallationToken(login(changes), access).catch((error: unknown) => error);
      expect(failure).toMatchObject({ class: "auth" });
      expect(String((failure as Error).stack)).not.toContain("test-canary");
    }
  });

  it("is refused with a wrong clock, and tells a failure of GitHub from a refusal", async () => {
    const late = { ...access, now: () => new Date(Date.now() - 3_600_000) };
    await expect(requestInstallationToken(login(), late)).rejects.toMatchObject({ class: "auth" });
    const early = { ...access, now: () => new Date(Date.now() + 3_600_000) };
    await expect(requestInstallationToken(login(), early)).rejects.toMatchObject({ class: "auth" });
    github.failNext(askToken, { status: 500 });
    await expect(requestInstallationToken(login(), access)).rejects.toMatchObject({ class: "unknown" });
    github.failNext(askToken, { status: 429, headers: { "retry-after": "3" } });
    const limited = requestInstallationToken(login(), access);
    await expect(limited).rejects.toMatchObject({ class: "transient", retryAfterMs: 3000 });
  });
});

function login(changes: Partial<GithubAppLogin> = {}): GithubAppLogin {
  return {
    api: github.url,
    id: String(github.app.id),
    key: Secret.text(github.app.pem),
    place: ["repos", "test-owner", "test-name"],
    permissions: { secrets: "write" },
    ...changes,
  };
}
