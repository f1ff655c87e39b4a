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
  "history/open-sides.ts": [2, "diff --compare says whether two are equal"],
  "net/http-client.ts": [1, "a request: headers, form and JSON, over TLS or to this machine"],
  "resolve/child-environment.ts": [1, "a door: run hands values to its child"],
  "resolve/mask-patterns.ts": [2, "what is masked in the output of run"],
  "review/wanted-values.ts": [2, "what scan looks for"],
  "review/value-traits.ts": [1, "a digest under a key of the run, and whether it is weak or expires: review --deep"],
  "rotation/credential-values.ts": [4, "a credential is read from a URL or JSON and written into it"],
  "rotation/generator-spec.ts": [1, "its public half is derived from a private key"],
  "rotation/notice-webhook.ts": [2, "the key that a webhook is signed with"],
  "rotation/rotators/aws-iam.ts": [
    2,
    "the id of a key, which is no secret, of the administrator and of the present value",
  ],
  "rotation/rotators/aws-query.ts": [
    2,
    "Amazon's signature is made with the administrator's key or the one that is probed",
  ],
  "rotation/rotators/azure-app-secret.ts": [
    1,
    "compares the present value with the first letters that Microsoft shows",
  ],
  "rotation/rotators/database-credential.ts": [4, "user names, and whether a new password is ASCII"],
  "rotation/rotators/database-rule.ts": [1, "the administrator's URL is taken apart"],
  "rotation/rotators/exec-program.ts": [1, "a door: variables of a rotator program, which its rule names"],
  "rotation/rotators/exec-provider.ts": [
    2,
    "a door: stdin of a rotator program; the other is an id, which is no secret",
  ],
  "rotation/rotators/gcp-service-account.ts": [4, "reads private keys, which sign assertions"],
  "rotation/rotators/github-deploy-key.ts": [2, "the public half of a private key"],
  "rotation/rotators/http-provider.ts": [1, "the id beside a value, which is no secret"],
  "rotation/rotators/http-steps.ts": [
    2,
    "a reference without its last line break, and a part of Basic, both again a Secret",
  ],
  "rotation/rotators/mysql-client.ts": [1, "logs in to MySQL or MariaDB"],
  "rotation/rotators/mysql-statements.ts": [2, "a hash for MariaDB, and the statement for MySQL, which takes none"],
  "rotation/rotators/openai.ts": [1, "compares the present value with what OpenAI shows of it"],
  "rotation/rotators/postgres-client.ts": [1, "logs in to PostgreSQL"],
  "rotation/rotators/rabbitmq-password.ts": [1, "a salted hash, which is what RabbitMQ is sent"],
  "rotation/rotators/redis-connection.ts": [1, "logs in to Redis"],
  "rotation/rotators/redis-provider.ts": [2, "the SHA-256 that Redis is sent, and the name of a user"],
  "rotation/rotators/request-template.ts": [1, "fills a template, which is again a Secret"],
  "rotation/rotators/scram-verifier.ts": [1, "a SCRAM verifier, from which nobody gets the password back"],
  "rotation/rotators/sendgrid.ts": [1, "the id in a key, which is no secret"],
  "rotation/rotators/service-authorization.ts": [2, "an Authorization header, which is again a Secret"],
  "rotation/rotators/trusted-authority.ts": [1, "certificates, which are public"],
  "rotation/rotators/twilio.ts": [1, "the sid of a key, which is no secret"],
  "rotation/rotators/value-digest.ts": [2, "scrypt of a value, the name of its credential; SHA-256 in memory"],
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
