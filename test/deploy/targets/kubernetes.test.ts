import { describe, expect, it, onTestFinished } from "vitest";
import { kubernetesTarget } from "../../../src/deploy/targets/kubernetes.ts";
import { fakeNamespace, fakeToken, startFakeKubernetes } from "../../support/fakes/kubernetes.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { findFreePort } from "../../support/servers/server-process.ts";
import {
  describesTarget,
  inspectByName,
  itemOf,
  recordProgress,
  targetFailure,
  writeAll,
} from "../../support/target-contract.ts";

const name = "test-secret";
const base64 = (text: string) => Buffer.from(text).toString("base64");

async function start(more: Readonly<Record<string, unknown>> = {}) {
  const server = await startFakeKubernetes();
  onTestFinished(server.stop);
  const connect = async (api: string, timeoutMs = 5000) => {
    const written = { api, token: "${env:TOKEN}", namespace: fakeNamespace, name, ...more };
    const options = kubernetesTarget.options.parse(written);
    return await kubernetesTarget.open(options, providerAccess({ TOKEN: `${fakeToken}\n` }, timeoutMs));
  };
  return { server, connect, target: await connect(server.url) };
}

describe("the kubernetes target", () => {
  describesTarget(async () => {
    const { server, connect } = await start();
    const options = { api: server.url, token: "${env:TOKEN}", namespace: fakeNamespace, name };
    return {
      facts: kubernetesTarget.facts(kubernetesTarget.options.parse(options)),
      open: async () => await connect(server.url),
      putForeign: (key, value) => Promise.resolve(server.edit(name, { [`.data.${key}`]: base64(value) })),
      peek: () => Promise.resolve(server.peek(name)),
      unreachable: async () => await connect(`http://127.0.0.1:${await findFreePort()}`),
    };
  });

  it("is asked to let a key go that another manager changed, and takes it over only when told to", async () => {
    const { server, target } = await start();
    await writeAll(target, { ALPHA: "test-one", BETA: "test-two" });
    server.edit(name, { ".data.ALPHA": base64("test-edited") });
    const found = await inspectByName(target, ["ALPHA", "BETA"]);
    expect([found.get("ALPHA")?.mark, found.get("BETA")?.mark?.address]).toEqual([undefined, "prod/api/BETA"]);
    await writeAll(target, { ALPHA: "test-ours" });
    expect(server.peek(name)).toEqual({ ALPHA: "test-ours", BETA: "test-two" });
  });

  it("shows a conflict that it did not foresee at its key, and writes the others", async () => {
    const { server, target } = await start();
    server.edit(name, { ".data.ALPHA": base64("test-foreign") });
    await target.inspect(["ALPHA", "BETA"]);
    const writes = [itemOf("ALPHA", "test-one"), itemOf("BETA", "test-two")];
    const progress = recordProgress();
    await target.apply({ writes, removes: [], wanted: writes }, progress);
    expect([progress.doneNames, progress.failures.get("ALPHA")?.class]).toEqual([["BETA"], "rejected"]);
    expect(server.peek(name)).toEqual({ ALPHA: "test-foreign", BETA: "test-two" });
  });

  it("keeps what is ours and not in the change, and annotations of others", async () => {
    const { server, target } = await start();
    await writeAll(target, { ALPHA: "test-one", BETA: "test-two" });
    server.edit(name, { ".metadata.annotations.example.com/note": "test note" });
    await writeAll(target, { GAMMA: "test-three" });
    expect(server.peek(name)).toEqual({ ALPHA: "test-one", BETA: "test-two", GAMMA: "test-three" });
    expect((await inspectByName(target, [])).size).toBe(3);
    expect(server.annotations(name)["example.com/note"]).toBe("test note");
  });

  it("writes nothing over a Secret that changed since it was looked at", async () => {
    const { server, target } = await start();
    await target.inspect(["ALPHA"]);
    await writeAll(target, { ALPHA: "test-one" });
    server.edit(name, { ".data.OTHER": base64("test-other") });
    const writes = [itemOf("BETA", "test-two")];
    const failure = await targetFailure(target.apply({ writes, removes: [], wanted: writes }, recordProgress()));
    expect(failure.class).toBe("transient");
    server.drop(name);
    expect((await targetFailure(target.apply({ writes, removes: [], wanted: writes }, recordProgress()))).class).toBe(
      "transient",
    );
    expect((await target.inspect(["ALPHA", "BETA"])).length).toBe(0);
    await writeAll(target, { ALPHA: "test-again" });
    expect(server.peek(name)).toEqual({ ALPHA: "test-again" });
  });

  it("says what keeps a Secret from being written", async () => {
    const { server, target } = await start({ type: "kubernetes.io/basic-auth" });
    server.edit(name, { ".data.ALPHA": base64("test-foreign") });
    expect((await inspectByName(target, ["ALPHA", "NEW"])).get("NEW")?.blocked).toContain("type");
    server.freeze(name);
    expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.blocked).toContain("immutable");
  });

  it("holds bytes that are no text, and 1 MiB but no more", async () => {
    const { server, target } = await start();
    const { Secret } = await import("../../../src/secret/secret.ts");
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const write = { ...itemOf("BYTES", "x"), value: Secret.fromBytes(bytes) };
    await target.apply({ writes: [write], removes: [], wanted: [write] }, recordProgress());
    expect((await inspectByName(target, ["BYTES"])).get("BYTES")?.value?.reveal()).toEqual(Buffer.from(bytes));
    const full = "y".repeat(1024 * 1024 - 256);
    await writeAll(target, { FULL: full });
    expect(server.peek(name)["FULL"]?.length).toBe(full.length);
    expect((await targetFailure(writeAll(target, { MORE: "z" }))).class).toBe("rejected");
  });

  it("classes what goes wrong", async () => {
    const { server, connect, target } = await start();
    const patch = "PATCH /api/v1/namespaces/{namespace}/secrets/{name}";
    const get = patch.replace("PATCH", "GET");
    const write = async () => await writeAll(target, { ALPHA: "contract-canary-5v1t" });
    for (const [status, failureClass] of [
      [429, "transient"],
      [500, "unknown"],
      [503, "transient"],
      [422, "rejected"],
      [404, "rejected"],
    ] as const) {
      server.failNext(patch, { status, json: { kind: "Status", message: "contract-canary-5v1t" } });
      expect((await targetFailure(write())).class).toBe(failureClass);
    }
    server.failNext(get, { status: 500 });
    expect((await targetFailure(target.inspect([]))).class).toBe("transient");
    server.failNext(patch, "lost answer");
    expect((await targetFailure(write())).class).toBe("unknown");
    expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.mark?.address).toBe("prod/api/ALPHA");
    server.failNext(patch, "silence");
    const hasty = await connect(server.url, 100);
    expect((await targetFailure(writeAll(hasty, { BETA: "contract-canary-5v1t" }))).class).toBe("unknown");
    server.state.mayPatch = false;
    expect((await targetFailure(target.inspect([]))).class).toBe("auth");
    server.state.token = "test-other-token";
    expect((await targetFailure(target.inspect([]))).class).toBe("auth");
  });

  it("says that the namespace is not there, or that the Secret is not taken", async () => {
    const { server, target } = await start({ namespace: "test-nowhere" });
    const failure = await targetFailure(writeAll(target, { ALPHA: "test-one" }));
    expect([failure.class, failure.message]).toEqual(["rejected", "there is no namespace test-nowhere"]);
    server.failNext("PATCH /api/v1/namespaces/{namespace}/secrets/{name}", { status: 422, json: { message: "test" } });
    expect((await targetFailure(writeAll(target, { ALPHA: "test-one" }))).class).toBe("rejected");
  });

  it("takes only what is one way to a Secret", () => {
    const place = { namespace: fakeNamespace, name };
    const api = { api: "https://k8s.example.com:6443", token: "${env:TOKEN}" };
    const takes = (options: unknown) => kubernetesTarget.options.safeParse(options).success;
    expect(takes({ ...api, ...place })).toBe(true);
    expect(takes({ kubeconfig: "${env:KUBECONFIG}", ...place })).toBe(true);
    expect(takes({ manifest: "deploy/secret.yaml", ...place })).toBe(true);
    expect(takes({ ...api, token: "a-token", ...place })).toBe(false);
    expect(takes({ ...api, api: "http://k8s.example.com", ...place })).toBe(false);
    expect(takes({ ...api, kubeconfig: "${env:KUBECONFIG}", ...place })).toBe(false);
    for (const manifest of ["/etc/x.yaml", "../x.yaml", "a/../b.yaml", "secrets/x.yaml", ".git/x.yaml", "x.json"])
      expect(takes({ manifest, ...place })).toBe(false);
    for (const bad of ["Upper", "-x", "a_b", "../x", "x".repeat(254)])
      expect(takes({ ...api, ...place, name: bad })).toBe(false);
  });

  it("names a place in the same words each time, and two places in others", () => {
    const words = (server: object) =>
      kubernetesTarget.place(kubernetesTarget.options.parse({ namespace: fakeNamespace, name, ...server }));
    expect(words({ api: "https://k8s.example.com:6443/", token: "${env:TOKEN}" })).toBe(
      "k8s.example.com:6443, Secret test-space/test-secret",
    );
    expect(words({ kubeconfig: "${env:KUBECONFIG}" })).toBe(
      "current context of KUBECONFIG, Secret test-space/test-secret",
    );
    expect(words({ kubeconfig: "${secret:prod/admin/KUBE}", context: "prod" })).toBe(
      "prod of prod/admin/KUBE, Secret test-space/test-secret",
    );
    expect(words({ manifest: "deploy/secret.yaml" })).toBe("deploy/secret.yaml (Secret test-space/test-secret)");
  });

  it("takes the keys that Kubernetes takes", () => {
    const { nameRule } = kubernetesTarget.facts(
      kubernetesTarget.options.parse({ manifest: "x.yaml", namespace: fakeNamespace, name }),
    );
    for (const good of ["A", "tls.crt", ".dockerconfigjson", "a-b_c"]) expect(good).toMatch(nameRule.pattern);
    for (const bad of [".", "..", "..a", "a/b", "a b", "ä", ""]) expect(bad).not.toMatch(nameRule.pattern);
  });
});
