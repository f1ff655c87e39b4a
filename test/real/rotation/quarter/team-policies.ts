import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { leaversScope, type PlannedSecret } from "./team-plan.ts";

/** A secret that no rule rotates and that developers change. */
export const quietSecret = "prod/web/BANNER";
/** What rotators sign in with at the credential service. */
export const providerToken = "ops/admin/PROVIDER_TOKEN";

const program = fileURLToPath(new URL("program.js", import.meta.url));

/** policies/rotation.yaml, for the credential service at `url`. */
export function rotationPolicy(secrets: readonly PlannedSecret[], url: string) {
  const never = { rotator: "manual", interval: "never" };
  return {
    defaults: { at: "02:00", grace: "24h", notice: "2d" },
    secrets: {
      ...Object.fromEntries(secrets.map((secret) => [secret.address, ruleOf(secret, `${url}/${secret.account}`)])),
      [providerToken]: never,
      [quietSecret]: never,
    },
  };
}

function ruleOf({ kind, intervalDays }: PlannedSecret, url: string) {
  const interval = `${intervalDays}d`;
  if (kind === "generate") return { interval, rotator: "generate", options: { kind: "hex", bytes: 24 } };
  if (kind === "by hand") return { interval, rotator: "manual", owner: "alice-example", runbook: "docs/by-hand.md" };
  const admin = `\${secret:${providerToken}}`;
  if (kind === "keys by a program") {
    const command = ["node", program];
    return { interval, rotator: "exec", options: { kind: "minted", command, settings: { url }, secrets: { admin } } };
  }
  const shown = { authorization: "Bearer ${value}" };
  const probe = { method: "GET", path: "/me", headers: shown };
  const preflight = { method: "GET", path: "/keys" };
  const common = { url, headers: { authorization: `Bearer ${admin}` }, classes: { 409: "limit" } };
  const chosen = {
    kind: "chosen",
    value: { kind: "hex", bytes: 20 },
    steps: {
      preflight,
      apply: { method: "PUT", path: "/passwords", body: { password: "${value}" } },
      probe,
      revoke: { method: "POST", path: "/passwords/end", body: { password: "${value}" } },
    },
  };
  const rolled = {
    kind: "rolled",
    outage: "accept",
    steps: { preflight, roll: { method: "POST", path: "/roll", value: "/value" }, probe },
  };
  const minted = {
    kind: "minted",
    steps: {
      preflight,
      mint: {
        method: "POST",
        path: "/keys",
        body: { name: "app sealtree-${tag}" },
        expect: [201],
        id: "/id",
        value: "/value",
      },
      identify: { ...probe, id: "/key/id" },
      probe,
      inventory: { method: "GET", path: "/keys", items: "/data", id: "/id", tag: "/name" },
      revoke: { method: "DELETE", path: "/keys/${id}" },
    },
  };
  const own = kind === "keys" ? minted : kind === "passwords" ? chosen : rolled;
  return { interval, rotator: "http", options: { ...common, ...own } };
}

/** policies/deploy.yaml, for a vault at an address and a folder of files. */
export function deployPolicy(vault: string, files: string) {
  return {
    targets: {
      vault: {
        kind: "vault",
        scopes: ["prod/api", "prod/web", "prod/data"],
        required: true,
        address: vault,
        mount: "secret",
        path: "apps/prod",
        auth: { token: "${env:VAULT_TOKEN}" },
      },
      files: {
        kind: "dotenv",
        scopes: [leaversScope, "ops/keys", "ops/mail"],
        required: true,
        file: join(files, "app.env"),
      },
    },
  };
}
