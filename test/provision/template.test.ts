import { describe, expect, test } from "vitest";
import { parseTemplate } from "../../src/provision/template.ts";
import { parseScopePath } from "../../src/secret/address.ts";

const qa = parseScopePath("qa");

function read(text: string) {
  return parseTemplate(Buffer.from(text), "template.yaml", qa);
}

describe("a template", () => {
  test("gives each secret with its origin, with the environment in scopes, addresses and options", () => {
    const secrets = read(
      [
        "version: 1\nscopes:\n  ${env}/api:\n    SESSION_KEY: { generate: base64url }\n    CERT: { generate: 'certificate:cn=api.${env}.test' }\n",
        "    DATABASE_URL: { prompt: The URL of the database }\n    SENTRY_DSN: { copy: shared/web/SENTRY_DSN, optional: true }\n",
        "  region/${env}:\n    OWN: { copy: '${env}/api/SESSION_KEY' }\n",
      ].join(""),
    );
    expect(secrets.map(({ address, origin, optional }) => [address.scope, address.name, origin.way, optional])).toEqual(
      [
        ["qa/api", "SESSION_KEY", "generate", false],
        ["qa/api", "CERT", "generate", false],
        ["qa/api", "DATABASE_URL", "prompt", false],
        ["qa/api", "SENTRY_DSN", "copy", true],
        ["region/qa", "OWN", "copy", false],
      ],
    );
    expect(secrets[1]?.origin).toMatchObject({ written: "certificate:cn=api.qa.test" });
    expect(secrets[4]?.origin).toMatchObject({ from: { scope: "qa/api", name: "SESSION_KEY" } });
  });

  test.each([
    [
      "a value",
      "version: 1\nscopes:\n  ${env}/api:\n    KEY: { value: stored-canary }\n",
      /template.yaml:4: .*a field is not known/,
    ],
    ["a bare value", "version: 1\nscopes:\n  ${env}/api:\n    KEY: stored-canary\n", /template.yaml:4/],
    [
      "two origins",
      "version: 1\nscopes:\n  ${env}/api:\n    KEY: { generate: hex, prompt: x }\n",
      /one of generate, prompt and copy/,
    ],
    [
      "no origin",
      "version: 1\nscopes:\n  ${env}/api:\n    KEY: { optional: true }\n",
      /one of generate, prompt and copy/,
    ],
    [
      "a scope of no environment",
      "version: 1\nscopes:\n  prod/api:\n    KEY: { generate: hex }\n",
      /has \$\{env\} as one of its parts/,
    ],
    ["a name that is none", "version: 1\nscopes:\n  ${env}/api:\n    1KEY: { generate: hex }\n", /not a secret name/],
    ["another version", "version: 2\nscopes: {}\n", /the version of the file is 1/],
    ["a name twice", "version: 1\nscopes:\n  ${env}/a:\n    K: { generate: hex }\n    K: { generate: hex }\n", /twice/],
  ])("with %s is refused with its line", (_what, text, message) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code: "E_POLICY_INVALID", message: expect.stringMatching(message) }),
    );
    expect(() => read(text)).not.toThrow(/stored-canary/);
  });

  test.each([
    ["a generator that is none", "KEY: { generate: dice }"],
    ["a copy of no address", "KEY: { copy: nowhere }"],
  ])("with %s is refused", (_what, line) => {
    expect(() => read(`version: 1\nscopes:\n  \${env}/api:\n    ${line}\n`)).toThrow(/generator|address/);
  });

  test("without secrets is refused", () => {
    expect(() => read("version: 1\nscopes: {}\n")).toThrow(expect.objectContaining({ code: "E_USAGE" }));
  });
});
