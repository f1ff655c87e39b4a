import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { awsCredentials } from "../../src/services/aws-keys.ts";
import { azureCredentials } from "../../src/services/azure-login.ts";
import { gcpCredentials } from "../../src/services/gcp-login.ts";
import { vaultConnectionOptions } from "../../src/services/vault-connection.ts";

const page = readFileSync(new URL("../../docs/ci-identities.md", import.meta.url), "utf8");

/** The first block of a language in the section of that heading. */
function blockIn(heading: string, language: string): string {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  return new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "m").exec(section.split("\n## ")[0] ?? "")?.[1] ?? "";
}

describe("docs/ci-identities.md", () => {
  it.each([
    ["AWS", z.strictObject({ credentials: awsCredentials }), "web_identity"],
    ["Google Cloud", z.strictObject({ credentials: gcpCredentials }), "token"],
    ["Azure", z.strictObject({ credentials: azureCredentials }), "assertion"],
    ["Vault and OpenBao", z.strictObject({ auth: vaultConnectionOptions.auth }), "jwt"],
  ] as const)("has for %s what a policy takes, with an identity token", (heading, schema, part) => {
    const read = schema.safeParse(parse(blockIn(heading, "yaml")));
    expect(read.error).toBeUndefined();
    const [credentials = {}] = Object.values(read.data ?? {});
    expect((credentials as Record<string, unknown>)[part]).toMatchObject({ kind: "oidc" });
  });

  it("has a trust policy of Amazon for one audience and one whole subject", () => {
    const { Statement } = JSON.parse(blockIn("AWS", "json")) as {
      readonly Statement: readonly { readonly Action: string; readonly Condition: unknown }[];
    };
    expect(Statement.map(({ Action, Condition }) => [Action, Condition])).toEqual([
      [
        "sts:AssumeRoleWithWebIdentity",
        {
          StringEquals: {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:acme@1001/api@2002:environment:production",
          },
        },
      ],
    ]);
  });

  it("asks for an identity token only in a job with the permission and an environment", () => {
    const { jobs } = parse(blockIn("The identity of the job", "yaml")) as {
      readonly jobs: Readonly<Record<string, { readonly permissions: unknown; readonly environment: string }>>;
    };
    expect(Object.values(jobs)).toMatchObject([
      { permissions: { contents: "read", "id-token": "write" }, environment: "production" },
    ]);
  });
});
