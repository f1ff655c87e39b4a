import { join } from "node:path";
import type { CutCommand } from "../support/faults.ts";
import type { TestRepository } from "../support/repository.ts";

const before = new Map([
  ["dev/app/API_KEY", "test-value-before-1f0c"],
  ["dev/app/KEPT", "test-value-kept-77aa"],
]);

/** Public half of a test key whose seed is 32 bytes of 1. */
const bob = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
const addBob = ["member", "add", "bob", "--recipient", bob, "--role", "engineer", "--yes"];

const inScopes = new Map([
  ...before,
  ["dev/web/TOKEN", "test-value-web-5e21"],
  ["prod/api/TOKEN", "test-value-api-c0d4"],
]);

/** Bob and carol join, each with a key file in the owner's home. */
async function addTeam(repository: TestRepository): Promise<void> {
  for (const name of ["bob", "carol"]) {
    const { stdout } = await repository.ok(["keygen", "-o", join(repository.home, `${name}.key`), "--x25519"]);
    const keys = ["--recipient", stdout.trim(), "--role", "senior-engineer"];
    await repository.ok(["member", "add", name, ...keys, "--yes"]);
  }
}

/** Bob is taken out of the policy, and nothing else is done yet. */
async function removeByHand(repository: TestRepository): Promise<void> {
  await addTeam(repository);
  const policy = repository.read("policies/access.yaml");
  repository.write("policies/access.yaml", policy.replace(/^ {2}bob:.*\n/m, "").replace(/^version: 3$/m, "version: 4"));
  repository.git("rm", "--quiet", "policies/members/bob.pub");
}

const withoutBob = { readers: ["carol.key"], strangers: ["bob.key"] };

/** The writing commands that are cut off, by name. A row is all it takes to cut off another one. */
export const cutCommands = {
  set: {
    argv: ["set", "dev/app/API_KEY", "--stdin"],
    stdin: "test-value-after-9c4e",
    before,
    after: new Map([...before, ["dev/app/API_KEY", "test-value-after-9c4e"]]),
  },
  "set in a new scope": {
    argv: ["set", "dev/new/API_KEY", "--stdin"],
    stdin: "test-value-after-9c4e",
    before,
    after: new Map([...before, ["dev/new/API_KEY", "test-value-after-9c4e"]]),
  },
  rekey: { argv: ["rekey", "dev/app", "--yes"], stdin: "", before, after: before },
  "rekey of what a policy asks for": {
    argv: ["rekey", "--yes"],
    stdin: "",
    before: inScopes,
    after: inScopes,
    prepare: removeByHand,
    others: withoutBob,
  },
  "member remove": {
    argv: ["member", "remove", "bob", "--yes"],
    stdin: "",
    before: inScopes,
    after: inScopes,
    prepare: addTeam,
    others: withoutBob,
  },
  edit: {
    argv: ["edit", "dev/app"],
    stdin: "",
    env: { EDITOR: "sed -i s/test-value-before-1f0c/test-value-after-9c4e/" },
    before,
    after: new Map([...before, ["dev/app/API_KEY", "test-value-after-9c4e"]]),
  },
  import: {
    argv: ["import", "dev/app", "--format", "dotenv", "--yes"],
    stdin: "API_KEY=test-value-after-9c4e\nADDED=test-value-added-31b8\n",
    before,
    after: new Map([
      ...before,
      ["dev/app/API_KEY", "test-value-after-9c4e"],
      ["dev/app/ADDED", "test-value-added-31b8"],
    ]),
  },
  "member add": { argv: addBob, stdin: "", before, after: before },
  "member set-role": {
    argv: ["member", "set-role", "bob", "--role", "senior-engineer", "--yes"],
    stdin: "",
    setup: [addBob],
    before: new Map([...before, ["prod/api/API_KEY", "test-value-prod-4d1a"]]),
    after: new Map([...before, ["prod/api/API_KEY", "test-value-prod-4d1a"]]),
  },
} as const satisfies Readonly<Record<string, CutCommand>>;
