import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const dayMs = 86_400_000;
const today = Date.parse("2026-03-17T09:30:00Z");
const services = "api auth billing mail media search".split(" ");
/** Names, and how many days ago each got its value; the index of the scope shifts it. */
const secrets = { DATABASE_PASSWORD: 71, SESSION_KEY: 18, STRIPE_KEY: 83, SMTP_PASSWORD: 40, OAUTH_SECRET: 130 };

/**
 * Seals some thirty secrets of an invented team over half a year, writes a rotation policy with
 * types, owners and runbooks, and leaves one rotation stuck and one in grace. Gives what `sealtree
 * rotation plan` makes of it on 17 March 2026 as a page. Values are made up here.
 */
export function makeRotationPage({ cwd, env, sealtree }) {
  const at = (daysAgo) => ({ env: { ...env, NODE_OPTIONS: `--import=${setClock(today - daysAgo * dayMs)}` } });
  for (const [index, service] of services.entries()) {
    for (const [name, days] of Object.entries(secrets)) {
      const input = `${name}=test-value-${service}-${name.toLowerCase()}\n`;
      const args = ["import", `prod/${service}`, "--merge", "--no-commit", "--format", "dotenv", "--yes"];
      sealtree(args, { ...at(Math.max(1, days + index * 3 - 9)), input });
    }
  }
  sealtree(["set", "prod/api/LEGACY_TOKEN", "--stdin", "--no-commit"], { ...at(200), input: "test-value-legacy" });
  writeFileSync(join(cwd, "policies/rotation.yaml"), printPolicy());
  writeJournal(cwd, "prod/mail", "DATABASE_PASSWORD", { started: "2026-03-15T02:00:00Z" });
  writeJournal(cwd, "prod/auth", "DATABASE_PASSWORD", {
    started: "2026-03-17T02:00:00Z",
    revokeAfter: "2026-03-18T02:00:00Z",
  });
  return sealtree(["rotation", "plan", "--format", "html", "--days", "45"], at(0)).stdout.toString();
}

/** A module that stops the clock of a program. */
function setClock(timeMs) {
  const code = `const Real = Date; globalThis.Date = class extends Real { constructor(...given) { super(...(given.length ? given : [${timeMs}])); } static now() { return ${timeMs}; } };`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

function printPolicy() {
  const rules = services.flatMap((service) =>
    Object.entries({
      DATABASE_PASSWORD: "{ type: database-credentials }",
      SESSION_KEY: "{ type: session-keys }",
      STRIPE_KEY: "{ type: api-tokens, runbook: docs/stripe.md }",
      SMTP_PASSWORD: "{ type: api-tokens, owner: dave }",
      OAUTH_SECRET: "{ type: oauth-credentials, runbook: docs/oauth.md }",
    }).map(([name, rule]) => `  prod/${service}/${name}: ${rule}`),
  );
  return `defaults: { owner: carol }
types:
  database-credentials: { interval: 90d, owner: bob, rotator: generate, options: { kind: password, length: 32 } }
  session-keys: { interval: 30d, rotator: generate, options: { kind: base64, bytes: 48 } }
  api-tokens: { interval: 90d, at: "03:00", notice: 3d, owner: alice }
  oauth-credentials: { interval: 180d, at: "01:00", notice: 14d, rollback: false }
secrets:
${rules.join("\n")}
`;
}

/** A journal as the engine would have left it: without a value yet, or with the old one in grace. */
function writeJournal(cwd, scope, name, { started, revokeAfter }) {
  const record = new RegExp(`^${name}: (.*)$`, "m").exec(readFileSync(join(cwd, `secrets/${scope}.yaml`), "utf8"))?.[1];
  const previous = `previous:\n  id: "app_a"\n  values:\n    ${name}: ${JSON.stringify(record)}\n  revoke_after: "${revokeAfter}"\n`;
  mkdirSync(join(cwd, `secrets/${scope}.rotation`));
  writeFileSync(
    join(cwd, `secrets/${scope}.rotation/${name}.yaml`),
    `$sealtree: 1
$scope: "${scope}"
secret: "${name}"
run: "0123456789abcdef"
state: "${revokeAfter === undefined ? "claimed" : "promoted"}"
rotator: "${revokeAfter === undefined ? "cloud-keys" : "postgres"}"
rule: "00112233445566aa"
reason: "rotation"
started: "${started}"
base:
  ${name}: "0011223344556677"
${revokeAfter === undefined ? 'known:\n  - "old-key"\n' : previous}`,
  );
}
