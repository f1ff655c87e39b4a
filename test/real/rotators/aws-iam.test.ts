import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { awsIamRotator } from "../../../src/rotation/rotators/aws-iam.ts";
import type { Credential, MintedProvider } from "../../../src/rotation/rotators/provider.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { provesContract } from "../../support/provider-contract.ts";
import { partOf, providerAccess } from "../../support/provider-access.ts";
import { findFreePort } from "../../support/servers/server-process.ts";
import { callIamAsRoot, makeAwsUser } from "../../support/servers/moto-user.ts";
import { startMoto, type TestMoto } from "../../support/servers/moto.ts";

const manage = ["List", "Create", "Update", "Delete"].map(
  (verb) => `iam:${verb}AccessKey${verb === "List" ? "s" : ""}`,
);
const allRights = [...manage, "iam:GetAccessKeyLastUsed"];

let moto: TestMoto;
let admin: Record<string, string>;
let current: Credential;

beforeAll(async () => {
  moto = await startMoto();
});
afterAll(async () => await moto.stop());

beforeEach(async () => {
  await moto.checkAccess(false);
  await fetch(`${moto.url}/moto-api/reset`, { method: "POST" });
  admin = await makeAwsUser(moto, "test-admin", allRights);
  const keys = await makeAwsUser(moto, "test-app", []);
  current = credentialOf(keys);
  await moto.checkAccess(true);
});

describe("the aws-iam rotator, against moto", () => {
  // Moto lets a suspended key in, so that it ends one is not proved here.
  provesContract(
    async () => {
      const url = `http://127.0.0.1:${await findFreePort()}`;
      return {
        provider: await open(),
        present: current.parts,
        strange: { access_key_id: Secret.text("AKIATESTTESTTESTTEST"), secret_access_key: Secret.text("test") },
        unreachable: async () => await open(admin, { url }),
        logText: moto.logText,
        publicParts: ["access_key_id"],
      };
    },
    { kind: "minted" },
  );

  it("counts a key that is older than the rotation as not its own", async () => {
    const provider = await open();
    const hourMs = 3_600_000;
    expect(await provider.isTagged(current.id, "0123456789abcdef", new Date(Date.now() + hourMs))).toBe(false);
    expect(await provider.isTagged(current.id, "0123456789abcdef", new Date(Date.now() - hourMs))).toBeUndefined();
  });

  it("lets a new key in before the old one ends, and ends the old one by its id", async () => {
    const provider = await open();
    const remarks = await provider.preflight(current);
    const next = await provider.mint("0123456789abcdef");
    const afterMint = [await provider.probe(current), await provider.probe(next)];
    await provider.revoke({ id: current.id, parts: {} });
    await provider.revoke({ id: current.id, parts: {} });

    expect(remarks[0]).toMatch(new RegExp(`^${current.id}: (?:never used|last used \\d{4}-\\d\\d-\\d\\d)$`));
    expect(afterMint).toEqual(["live", "live"]);
    expect([await provider.probe(current), await provider.probe(next)]).toEqual(["dead", "live"]);
    expect(await provider.inventory()).toEqual([next.id]);
    expect(partOf(next, "access_key_id")).toBe(next.id);
  });

  it("says that a third key has no room, before and while it is made", async () => {
    const provider = await open();
    await provider.mint("0123456789abcdef");
    await expect(provider.preflight(current)).rejects.toMatchObject({ class: "limit" });
    await expect(provider.mint("0123456789abcdef")).rejects.toMatchObject({
      class: "limit",
      message: "Amazon refused CreateAccessKey with LimitExceeded",
    });
  });

  it("knows the present values by their id", async () => {
    const provider = await open();
    const other = Secret.text("AKIATESTTESTTESTTEST");
    expect((await provider.identify(current.parts))?.id).toBe(current.id);
    expect(await provider.identify({ ...current.parts, access_key_id: other })).toBeUndefined();
    expect(await provider.identify({ secret_access_key: Secret.text("test") })).toBeUndefined();
  });

  it("suspends a key and brings it back", async () => {
    const provider = await open();
    const statuses: (string | undefined)[] = [];
    for (const verb of ["suspend", "suspend", "resume"] as const) {
      await provider[verb]?.(current);
      statuses.push(await statusOf(current.id));
    }
    expect(statuses).toEqual(["Inactive", "Inactive", "Active"]);
  });

  it("calls a wrong secret dead, and a wrong clock nothing", async () => {
    const provider = await open();
    const wrong = { id: current.id, parts: { secret_access_key: Secret.text("test-wrong") } };
    const late = await open(admin, { now: () => new Date(Date.now() + 3_600_000) });
    expect(await provider.probe(wrong)).toBe("dead");
    expect(await late.probe(wrong)).toBe("unknown");
  });

  it("says auth without the rights, and rejected for a user that is not there", async () => {
    await moto.checkAccess(false);
    const weak = await makeAwsUser(moto, "test-weak", ["iam:ListAccessKeys"]);
    await moto.checkAccess(true);
    const provider = await open(weak);
    await expect(provider.mint("0123456789abcdef")).rejects.toMatchObject({ class: "auth" });
    expect(await provider.preflight(current)).toContain(
      `${current.id}: the administrator may not see when it was last used`,
    );
    const stranger = await open({ id: "AKIATESTTESTTESTTEST", secret: "test" });
    await expect(stranger.preflight(current)).rejects.toMatchObject({ class: "auth" });
    const nobody = await open(admin, { user: "test-nobody" });
    await expect(nobody.preflight(undefined)).rejects.toMatchObject({ class: "rejected" });
  });

  it("is not there: nothing was sent, and the probe knows nothing", async () => {
    const url = `http://127.0.0.1:${await findFreePort()}`;
    const provider = await open(admin, { url });
    await expect(provider.mint("0123456789abcdef")).rejects.toMatchObject({ class: "transient" });
    expect(await provider.probe(current)).toBe("unknown");
  });

  it("never sends a secret key, which only signs", async () => {
    const provider = await open();
    await provider.probe(current);
    expect(moto.logText()).toContain("POST /");
    expect(moto.logText()).not.toContain(partOf(current, "secret_access_key"));
  });
});

interface Changes {
  readonly user?: string;
  readonly url?: string;
  readonly now?: () => Date;
}

async function open(keys = admin, { user = "test-app", url = moto.url, now }: Changes = {}): Promise<MintedProvider> {
  const options = awsIamRotator.options.parse({
    user,
    admin: { id: "${env:id}", secret: "${env:secret}" },
    iam_endpoint: url,
    sts_endpoint: url,
  });
  const access = { ...providerAccess(keys), ...(now === undefined ? {} : { now }) };
  const provider = await awsIamRotator.provider?.open(options, access);
  if (provider?.kind !== "minted") throw new Error("the rotator is not a minted one");
  return provider;
}

function credentialOf({ id = "", secret = "" }: Record<string, string>): Credential {
  return { id, parts: { access_key_id: Secret.text(id), secret_access_key: Secret.text(secret) } };
}

async function statusOf(id: string): Promise<string | undefined> {
  await moto.checkAccess(false);
  const answer = await callIamAsRoot(moto, "ListAccessKeys", { UserName: "test-app" });
  await moto.checkAccess(true);
  return answer.texts("Status")[answer.texts("AccessKeyId").indexOf(id)];
}
