import type { SourceSystem } from "./source-values.ts";

const rotate = (scope: string) => `change the values at their providers when you have moved: sealtree rotate ${scope}`;

const leavings: Readonly<Record<SourceSystem, readonly string[]>> = {
  dotenv: [
    "delete the .env file here and wherever it was copied to, and keep .env in .gitignore",
    "start programs with sealtree run in its place",
  ],
  json: ["delete the file here and wherever it was copied to"],
  yaml: ["delete the file here and wherever it was copied to"],
  sops: [
    "git rm the SOPS file when everything reads from here; its history can still be opened with the old age keys",
    "take its creation rule out of .sops.yaml, and the age keys that nothing else uses out of the keys of people and machines",
  ],
  dotenvx: [
    "git rm the .env file when everything reads from here; its history can still be opened with DOTENV_PRIVATE_KEY",
    "delete .env.keys, and DOTENV_PRIVATE_KEY in CI and hosting",
  ],
  ejson: [
    "git rm the EJSON file when everything reads from here; its history can still be opened with the private key",
    "delete the private key from the key folders of all machines",
  ],
  vault: [
    "delete the path with its versions and metadata when everything reads from here: vault kv metadata delete PATH",
    "take back the policies and tokens that read it",
  ],
  "aws-secrets-manager": [
    "delete the secret when everything reads from here; AWS keeps it for 7 to 30 days",
    "take the permission secretsmanager:GetSecretValue back from what read it",
  ],
};

/** What is left to do after a move, in order: a sentence each. */
export function nextSteps(system: SourceSystem, scope: string): string[] {
  return [...leavings[system], rotate(scope)];
}
