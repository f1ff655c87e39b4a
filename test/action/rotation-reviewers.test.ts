import { beforeAll, describe, expect, it } from "vitest";
import { listRotationReviewers } from "../../src/action/rotation-reviewers.ts";
import { parseAddress } from "../../src/secret/address.ts";
import { openWorkTree } from "../../src/store/work-tree.ts";
import { ed25519TestKey } from "../crypto/ssh-keys.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

const people = Array.from({ length: 18 }, (_, index) => `p${String(index).padStart(2, "0")}`);
const policy = `version: 2
members:
  alice-example: { github: Alice, roles: [admin] }
  bob: { github: bob, roles: [writer] }
  carol: { roles: [writer] }
  robot: { kind: machine, roles: [writer] }
${people.map((name) => `  ${name}: { github: ${name}, roles: [crowd] }\n`).join("")}roles:
  admin: { admin: true, grants: [{ scopes: ["**"], allow: [read, write] }] }
  writer: { grants: [{ scopes: ["dev/**"], allow: [read, write, rotate] }] }
  crowd: { grants: [{ scopes: ["crowd/**"], allow: [read, write] }] }
`;
const rules = `types:
  owned: { rotator: manual, owner: alice-example }
secrets:
  dev/app/OF_ALICE: { type: owned }
  dev/app/OF_CAROL: { rotator: manual, owner: carol }
  dev/app/OF_NOBODY: { rotator: manual }
  crowd/app/KEY: { rotator: manual }
`;

let team: TestRepository;
beforeAll(async () => {
  team = await createSealedRepository();
  for (const name of ["bob", "carol", "robot", ...people]) {
    const { blob } = ed25519TestKey(name).publicKey;
    team.write(`policies/members/${name}.pub`, `ssh-ed25519 ${Buffer.from(blob).toString("base64")}\n`);
  }
  team.write("policies/access.yaml", policy);
  team.write("policies/rotation.yaml", rules);
});

const list = async (author: string, ...addresses: string[]) =>
  await listRotationReviewers(
    openWorkTree(team.root),
    addresses.map((text) => parseAddress(text)),
    author,
  );

describe("who reviews a rotation", () => {
  it.each([
    ["the owner of the rule", ["dev/app/OF_ALICE"], ["Alice"]],
    ["who may write in the scope, where the owner has no name at GitHub", ["dev/app/OF_CAROL"], ["Alice", "bob"]],
    ["who may write in the scope, where nobody owns it or no rule names it", ["dev/app/OTHER"], ["Alice", "bob"]],
    ["each once", ["dev/app/OF_ALICE", "dev/app/OF_NOBODY"], ["Alice", "bob"]],
    ["nobody for nothing", [], []],
  ])("is %s", async (_, addresses, expected) => {
    expect(await list("test-app[bot]", ...addresses)).toEqual(expected);
  });

  it("is not who opened it, however that is written", async () => {
    expect(await list("alice", "dev/app/OF_NOBODY")).toEqual(["bob"]);
  });

  it("is fifteen people at most", async () => {
    const found = await list("test-app[bot]", "crowd/app/KEY");
    expect([found.length, found.slice(0, 2)]).toEqual([15, ["Alice", "p00"]]);
  });
});
