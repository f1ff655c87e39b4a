import { describe, expect, it } from "vitest";
import { openReceipts, receiptRef } from "../../src/deploy/receipt-store.ts";
import type { Receipt } from "../../src/deploy/receipt.ts";
import { startGitServer } from "../support/git-server.ts";
import { createRepository } from "../support/repository.ts";

const ref = receiptRef("vault");
const commit = "c".repeat(40);

function receiptOf(names: readonly string[], timeMs: number): Receipt {
  const common = { fingerprint: "1".repeat(16), changedAtMs: undefined, isPending: undefined };
  const items = names.map((name) => [name, { ...common, address: `prod/api/${name}` }] as const);
  return { target: "vault", kind: "vault", place: "here", commit, timeMs, actor: "alice", items: new Map(items) };
}

async function createClones() {
  const server = await startGitServer();
  const make = (name: string) => {
    const repository = createRepository(name);
    repository.git("commit", "--quiet", "--allow-empty", "-m", "first");
    repository.git("remote", "add", "origin", server.url);
    const env = { PATH: process.env["PATH"] ?? "", ...repository.env, ...server.env };
    return { repository, place: { root: repository.root, env } };
  };
  return { server, one: make("one"), other: make("other") };
}

const namesIn = (receipt: Receipt | undefined) => [...(receipt?.items.keys() ?? [])];
const remoteNames = ({ git }: { git: (...args: string[]) => string }) =>
  (JSON.parse(git("cat-file", "blob", `${ref}:receipt.json`)) as { items: { name: string }[] }).items.map(
    ({ name }) => name,
  );

describe("receipts", () => {
  it("stay in a clone that has no remote", async () => {
    const repository = createRepository();
    const place = { root: repository.root, env: { PATH: process.env["PATH"] ?? "", ...repository.env } };
    const store = await openReceipts(place, ["vault"]);
    expect(store.get("vault")).toBeUndefined();
    await store.keep(receiptOf(["A"], 1));
    await store.keep(receiptOf(["A", "B"], 2));
    await store.push();
    expect(store.warnings).toEqual([]);
    expect(namesIn((await openReceipts(place, ["vault"])).get("vault"))).toEqual(["A", "B"]);
    expect(repository.git("rev-list", "--count", ref).trim()).toBe("2");
  });

  it("reach the other clones over the remote, without a committer being set", async () => {
    const { server, one, other } = await createClones();
    one.repository.git("config", "--global", "--unset-all", "user.email");
    one.repository.git("config", "--global", "user.useConfigOnly", "true");
    const store = await openReceipts(one.place, ["vault"]);
    await store.keep(receiptOf(["A"], 1));
    await store.push();
    expect(store.warnings).toEqual([]);
    expect(remoteNames(server)).toEqual(["A"]);
    expect(namesIn((await openReceipts(other.place, ["vault", "none"])).get("vault"))).toEqual(["A"]);
  });

  it("are joined when two clones recorded at once, with nothing lost", async () => {
    const { server, one, other } = await createClones();
    const [first, second] = [await openReceipts(one.place, ["vault"]), await openReceipts(other.place, ["vault"])];
    await first.keep(receiptOf(["A"], 1));
    await second.keep(receiptOf(["B"], 2));
    await first.push();
    await second.push();
    expect([...first.warnings, ...second.warnings]).toEqual([]);
    expect(remoteNames(server)).toEqual(["A", "B"]);
    expect(namesIn(second.get("vault")).toSorted()).toEqual(["A", "B"]);
    expect(server.git("rev-list", "--count", "--merges", ref).trim()).toBe("1");
  });

  it("that the remote refuses are a warning, and stay in the clone", async () => {
    const { server, one } = await createClones();
    const store = await openReceipts(one.place, ["vault"]);
    await store.keep(receiptOf(["A"], 1));
    server.protect("vault");
    server.spoil("push refs", { kind: "status", status: 403 }, 9);
    await store.push();
    expect(store.warnings).toEqual([expect.stringContaining("does not take the receipts")]);
    expect(namesIn((await openReceipts(one.place, ["vault"])).get("vault"))).toEqual(["A"]);
  });

  it("of the clone count, with a warning, when the remote cannot be asked", async () => {
    const { server, one } = await createClones();
    await (await openReceipts(one.place, ["vault"])).keep(receiptOf(["A"], 1));
    await server.stop();
    const store = await openReceipts(one.place, ["vault"]);
    expect(namesIn(store.get("vault"))).toEqual(["A"]);
    expect(store.warnings).toEqual([expect.stringContaining("cannot be asked")]);
    await store.keep(receiptOf(["A", "B"], 2));
    await store.push();
    expect(store.warnings.length).toBe(2);
  });

  it("that the remote was given by somebody else and that are none count as none", async () => {
    const { server, one, other } = await createClones();
    one.repository.write("receipt.json", '{"sealtree": 1, "target": "vault\\u001b[31m"}\n');
    one.repository.git("add", "receipt.json");
    one.repository.git("commit", "--quiet", "-m", "hostile");
    one.repository.git("update-ref", ref, "HEAD");
    const push = await openReceipts(one.place, ["vault"]);
    await push.keep(receiptOf(["A"], 1));
    await push.push();
    server.git("update-ref", ref, `${server.git("rev-parse", ref).trim()}^`);
    const store = await openReceipts(other.place, ["vault"]);
    expect(store.get("vault")).toBeUndefined();
    expect(store.warnings).toEqual(["the receipt of vault cannot be read, so it counts as none"]);
    await store.keep(receiptOf(["B"], 2));
    await store.push();
    expect(remoteNames(server)).toEqual(["B"]);
  });
});
