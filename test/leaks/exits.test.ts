import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const src = fileURLToPath(new URL("../../src/", import.meta.url));

/**
 * Every place that takes a value out of its Secret, how often, and why it may. Who adds one
 * says here where the value goes.
 */
const exits: Readonly<Record<string, readonly [calls: number, reason: string]>> = {
  "cli/commands/get.ts": [2, "a door: --reveal"],
  "cli/print-value.ts": [2, "a door: diff --reveal, escaped, after a yes"],
  "cli/value-input.ts": [1, "a value that was just read becomes binary: --binary"],
  "cli/value-json.ts": [2, "a door: get --reveal --json, decrypt --json and diff --reveal --json after a yes"],
  "crypto/frame.ts": [1, "sealing, of a record or a drop"],
  "deploy/targets/aws-secrets-object.ts": [
    2,
    "a door: the JSON object that a secret of Amazon holds, read and written",
  ],
  "deploy/targets/github-actions.ts": [1, "a door: sealed for the key that GitHub gave"],
  "deploy/targets/gitlab.ts": [1, "whether GitLab can mask it"],
  "deploy/targets/heroku.ts": [1, "whether it differs from what is there, since a change restarts the app"],
  "deploy/targets/kubernetes.ts": [1, "a door: base64 for a Secret of Kubernetes"],
  "deploy/targets/sealed-secret.ts": [1, "a door: sealed for the controller's certificate"],
  "deploy/targets/secret-manifest.ts": [1, "a door: base64 in a manifest that git leaves out"],
  "deploy/targets/write-checks.ts": [5, "length, whether it is text, and whether the target has it already"],
  "deploy/check-facts.ts": [1, "how long a value is"],
  "deploy/plan.ts": [2, "whether a target has the value: bytes, whichever kind it reads back"],
  "history/open-sides.ts": [2, "diff --compare says whether two are equal"],
  "migrate/dotenv-lines.ts": [1, "a .env file that was just read: names in its values are resolved"],
  "migrate/read-aws-secret.ts": [1, "a secret that was just fetched is read as JSON"],
  "net/http-client.ts": [2, "a request: headers, form and JSON, over TLS or to this machine; a client's key for TLS"],
  "resolve/child-environment.ts": [1, "a door: run hands values to its child"],
  "resolve/dependents.ts": [1, "looks for the references in a value"],
  "resolve/env-file.ts": [1, "fills the references of a .env file, which is again a Secret"],
  "resolve/interpolate.ts": [5, "fills the references of a value, which is again a Secret"],
  "resolve/mask-patterns.ts": [2, "what is masked in the output of run"],
  "resolve/resolve-references.ts": [2, "a door: values that render and run --dotenv put into text"],
  "resolve/template-dotenv.ts": [1, "what stands in a template, which is no secret"],
  "review/wanted-values.ts": [2, "what scan looks for"],
  "review/value-traits.ts": [1, "a digest under a key of the run, and whether it is weak or expires: review --deep"],
  "rotation/credential-values.ts": [4, "a credential is read from a URL or JSON and written into it"],
  "rotation/generator-spec.ts": [1, "its public half is derived from a private key"],
  "rotation/notice-webhook.ts": [2, "the key that a webhook is signed with"],
  "rotation/rotators/aws-iam.ts": [1, "the id of a key, which is no secret, of the present value"],
  "rotation/rotators/azure-app-secret.ts": [
    1,
    "compares the present value with the first letters that Microsoft shows",
  ],
  "rotation/rotators/database-credential.ts": [4, "user names, and whether a new password is ASCII"],
  "rotation/rotators/exec-provider.ts": [1, "an id, which is no secret"],
  "rotation/rotators/gcp-service-account.ts": [4, "reads private keys, which sign assertions"],
  "rotation/rotators/github-deploy-key.ts": [3, "the public half of a private key"],
  "action/git-credentials.ts": [1, "a door: the token in a header of git, in the environment of that one process"],
  "action/signing-agent.ts": [1, "a door: the key that signs commits, on the stdin of ssh-add"],
  "action/load-values.ts": [1, "a door: the Action hands over environment variables and outputs"],
  "action/masks.ts": [3, "what the runner is told to hide"],
  "rotation/rotators/http-provider.ts": [1, "the id beside a value, which is no secret"],
  "rotation/rotators/http-steps.ts": [
    2,
    "a reference without its last line break, and a part of Basic, both again a Secret",
  ],
  "rotation/rotators/mysql-client.ts": [1, "logs in to MySQL or MariaDB"],
  "rotation/rotators/mysql-statements.ts": [2, "a hash for MariaDB, and the statement for MySQL, which takes none"],
  "rotation/rotators/openai.ts": [1, "compares the present value with what OpenAI shows of it"],
  "rotation/rotators/rabbitmq-password.ts": [1, "a salted hash, which is what RabbitMQ is sent"],
  "rotation/rotators/redis-connection.ts": [1, "logs in to Redis"],
  "rotation/rotators/redis-provider.ts": [2, "the SHA-256 that Redis is sent, and the name of a user"],
  "rotation/rotators/request-template.ts": [1, "fills a template, which is again a Secret"],
  "rotation/rotators/scram-verifier.ts": [1, "a SCRAM verifier, from which nobody gets the password back"],
  "rotation/rotators/sendgrid.ts": [1, "the id in a key, which is no secret"],
  "rotation/rotators/twilio.ts": [1, "the sid of a key, which is no secret"],
  "rotation/rotators/value-digest.ts": [2, "scrypt of a value, the name of its credential; SHA-256 in memory"],
  "runtime/aws-reader.ts": [1, "the JSON object that a secret of Amazon holds; its members are Secrets again"],
  "runtime/repo-provider.ts": [1, "looks for references in a value"],
  "runtime/resolve-config.ts": [1, "a door: the configuration that a program has resolved"],
  "runtime/runtime-secret.ts": [4, "a door: revealText and revealBytes of the library; two compare bytes"],
  "services/kubeconfig.ts": [1, "the text of a kubeconfig, which logs in"],
  "services/vault-connection.ts": [1, "a token without its last line break, again a Secret"],
  "services/github-app.ts": [1, "reads the private key of a GitHub App, which signs what the App signs in with"],
  "services/aws-session.ts": [2, "the id of a key, which is no secret; an identity token, in a form over TLS"],
  "services/gcp-federation.ts": [1, "an identity token without its last line break, again a Secret"],
  "services/aws-parameters.ts": [1, "a door: what is written to Parameter Store, in JSON"],
  "services/aws-secrets.ts": [2, "a door: what is written to Secrets Manager, in JSON"],
  "services/aws-signature.ts": [2, "Amazon's signature is made with the key that logs in or is probed"],
  "services/exec-program.ts": [1, "a door: variables of a program that a policy names"],
  "services/program-step.ts": [1, "a door: stdin of a program that a policy names"],
  "services/gcp-login.ts": [1, "the key file of a service account, which signs assertions"],
  "services/gcp-secrets.ts": [1, "a door: what is written to Secret Manager, with its checksum"],
  "services/database-login.ts": [1, "the URL of a login is taken apart"],
  "services/postgres-client.ts": [1, "logs in to PostgreSQL"],
  "services/service-authorization.ts": [2, "an Authorization header, which is again a Secret"],
  "services/sql-row-key.ts": [4, "the key of a table: read, named by an HMAC, and what wraps the keys of rows"],
  "services/sql-row.ts": [1, "the key that rows of a table are authenticated with"],
  "services/trusted-authority.ts": [1, "certificates, which are public"],
  "values/dotenv-text.ts": [1, "compares what was printed with what is read back"],
  "values/environment-text.ts": [1, "a door: formats of export that are lines of NAME=VALUE"],
  "values/json-text.ts": [2, "a door: export --format json"],
  "values/yaml-scalar.ts": [2, "a door: decrypt, export --format yaml and the text of edit"],
  "values/yaml-text.ts": [2, "compares what was printed with what is read back"],
};

describe("the exits of Secret", () => {
  it("are called in these places and no others", () => {
    const found = Object.fromEntries(
      readdirSync(src, { recursive: true, encoding: "utf8" })
        .map((path) => path.replaceAll("\\", "/"))
        .filter((path) => path.endsWith(".ts") && path !== "secret/secret.ts")
        .map((path) => [path, countExits(readFileSync(src + path, "utf8"))] as const)
        .filter(([, calls]) => calls > 0),
    );
    expect(found).toEqual(Object.fromEntries(Object.entries(exits).map(([path, [calls]]) => [path, calls])));
  });
});

/** Calls and other uses, also by a name in brackets or by destructuring. */
function countExits(text: string): number {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  return [...code.matchAll(/(?:\.|(?<!options)\[["'`]|[{,]\s*)(?:reveal|revealText)\b(?!:)/g)].length;
}
