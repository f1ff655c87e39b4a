import { writeFileSync } from "node:fs";
import { join } from "node:path";

const services = "api billing search mail auth jobs web media events reports ledger gateway notify".split(" ");
const environments = ["dev", "staging", "prod"];
const names =
  "DATABASE_URL SESSION_KEY STRIPE_KEY SMTP_PASSWORD SENTRY_DSN QUEUE_TOKEN S3_SECRET_KEY OAUTH_SECRET".split(" ");

/**
 * A repository with 43 scopes, five members and a branch `change` on top of `before` that changes
 * some 200 secrets in 40 of the scopes in every way there is: the pull request of docs/reviewing.md.
 * Values and keys are made up here.
 */
export function makeLargeChange({ cwd, git, sealtree, env }) {
  const write = (path, text) => writeFileSync(join(cwd, path), text);
  const by = (name) => ({
    env: { ...env, GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: `${name.split(" ")[0].toLowerCase()}@example.test` },
  });
  const scopes = [
    ...environments.flatMap((environment) => services.map((service) => `${environment}/${service}`)),
    "prod/admin",
    "shared/dns",
    "shared/registry",
    "shared/legacy",
  ];
  for (const [name, role] of Object.entries({ bob: "engineer", carol: "analyst", dave: "engineer", grace: "engineer" }))
    addMember({ cwd, sealtree }, name, role);
  for (const [index, scope] of scopes.entries())
    sealtree(importArgs(scope, "--no-commit"), { input: dotenv(names.slice(0, 6), `first ${index}`) });
  write("policies/rotation.yaml", rotationPolicy(scopes, "90d"));
  git("add", "--all");
  git("commit", "--quiet", "--message", "start");
  sealtree(["set", "prod/api/STRIPE_KEY", "--stdin"], { input: "test-value-second-api" });
  sealtree(["set", "prod/billing/STRIPE_KEY", "--stdin"], { input: "test-value-second-billing" });
  git("branch", "before");
  git("switch", "--quiet", "--create", "change");

  // New values: most of the change.
  for (const [index, scope] of scopes.slice(0, 34).entries()) {
    const changed = names.slice(index % 3, (index % 3) + 5);
    const who = by(["Alice Example", "Grace Hopper", "Rotation Robot"][index % 3]);
    sealtree([...importArgs(scope), "--reason", "quarterly rotation"], {
      ...who,
      input: dotenv(changed, `next ${index}`),
    });
  }
  // New secrets, and a new scope.
  for (const scope of ["shared/dns", "shared/registry", "prod/api", "prod/web"])
    sealtree(importArgs(scope), { ...by("Alice Example"), input: dotenv(["OAUTH_SECRET", "WEBHOOK_SECRET"], scope) });
  sealtree(importArgs("prod/payouts"), { ...by("Alice Example"), input: dotenv(names, "payouts") });
  // What a reviewer should not miss.
  sealtree(["rollback", "prod/api/STRIPE_KEY", "--to", "1", "--yes"], by("Grace Hopper"));
  sealtree(["rollback", "prod/billing/STRIPE_KEY", "--to", "1", "--yes"], by("Grace Hopper"));
  sealtree(["mv", "shared/legacy/SMTP_PASSWORD", "shared/registry/SMTP_RELAY_PASSWORD", "--yes"], by("Alice Example"));
  for (const name of ["SENTRY_DSN", "QUEUE_TOKEN"])
    sealtree(["unset", `shared/legacy/${name}`, "--yes"], by("Alice Example"));
  for (const scope of ["prod/ledger", "prod/gateway"]) sealtree(["rekey", scope, "--yes"], by("Alice Example"));
  addMember({ cwd, sealtree }, "erin", "engineer");
  sealtree(["member", "set-role", "dave", "--role", "senior-engineer", "--yes"]);
  write(
    "policies/rotation.yaml",
    rotationPolicy([...scopes, "prod/payouts"], "90d").replace(
      "prod/admin/SESSION_KEY: {}",
      "prod/admin/SESSION_KEY: { interval: never }",
    ),
  );
  git("commit", "--quiet", "--all", "--message", "rotation rules of prod/payouts");
}

function addMember({ cwd, sealtree }, name, role) {
  const file = join(cwd, "..", `${name}.key`);
  const recipient = sealtree(["keygen", "--x25519", "-o", file]).stdout.toString().trim();
  sealtree(["member", "add", name, "--recipient", recipient, "--role", role, "--yes"]);
}

function importArgs(scope, ...more) {
  return ["import", scope, "--format", "dotenv", "--yes", ...more];
}

function dotenv(keys, seed) {
  return keys.map((key) => `${key}=test-value-${seed.replaceAll(/\W/g, "-")}-${key.toLowerCase()}\n`).join("");
}

function rotationPolicy(scopes, interval) {
  const rules = scopes.flatMap((scope) => names.slice(0, 6).map((name) => `  ${scope}/${name}: {}\n`));
  return `defaults: { interval: ${interval} }\nsecrets:\n${rules.join("")}`;
}
