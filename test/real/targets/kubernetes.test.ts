import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kubernetesTarget } from "../../../src/deploy/targets/kubernetes.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { nastyValues } from "../../support/nasty-values.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { startKubernetesApply, type TestKubernetesApply } from "../../support/servers/kubernetes-apply.ts";
import { findFreePort } from "../../support/servers/server-process.ts";
import {
  describesTarget,
  inspectByName,
  itemOf,
  recordProgress,
  targetFailure,
  writeAll,
} from "../../support/target-contract.ts";

const namespace = "test-space";
let server: TestKubernetesApply;
let places = 0;
beforeAll(async () => {
  server = await startKubernetesApply();
});
afterAll(async () => await server.stop());

function begin() {
  const name = `test-secret-${++places}`;
  const options = (api = server.url) => kubernetesTarget.options.parse({ api, token: "${env:TOKEN}", namespace, name });
  const access = providerAccess({ TOKEN: "test-token" });
  return {
    name,
    facts: kubernetesTarget.facts(options()),
    open: async (api?: string) => await kubernetesTarget.open(options(api), access),
    set: async (key: string, value: string | undefined) =>
      await server.edit(namespace, name, (secret) => {
        const { [key]: _, ...rest } = secret.data ?? {};
        secret.data = value === undefined ? rest : { ...rest, [key]: Buffer.from(value).toString("base64") };
      }),
    peek: async () => {
      const data = Object.entries((await server.find(namespace, name))?.data ?? {});
      return Object.fromEntries(data.map(([key, text]) => [key, Buffer.from(text, "base64").toString()]));
    },
  };
}

describe("the kubernetes target at the field management of Kubernetes itself", () => {
  describesTarget(async () => {
    const { facts, open, set, peek } = begin();
    return await Promise.resolve({
      facts,
      open: async () => await open(),
      putForeign: set,
      peek,
      unreachable: async () => await open(`http://127.0.0.1:${await findFreePort()}`),
    });
  });

  it("gives a key up that somebody edited, and takes it over only when told to", async () => {
    const { open, set, peek } = begin();
    const target = await open();
    await writeAll(target, { ALPHA: "test-one", BETA: "test-two" });
    await set("ALPHA", "test-edited");
    const found = await inspectByName(target, ["ALPHA", "BETA"]);
    expect([found.get("ALPHA")?.mark, found.get("BETA")?.mark?.address]).toEqual([undefined, "prod/api/BETA"]);
    await writeAll(target, { BETA: "test-new" });
    expect(await peek()).toEqual({ ALPHA: "test-edited", BETA: "test-new" });
    await writeAll(target, { ALPHA: "test-ours" });
    expect(await peek()).toEqual({ ALPHA: "test-ours", BETA: "test-new" });
    expect((await inspectByName(target, [])).size).toBe(2);
  });

  it("shows a conflict that it did not foresee at its key, and writes the others", async () => {
    const { open, set, peek } = begin();
    await set("tls.key", "test-foreign");
    const target = await open();
    await target.inspect(["tls.key", "BETA"]);
    const writes = [itemOf("tls.key", "test-one"), itemOf("BETA", "test-two")];
    const progress = recordProgress();
    await target.apply({ writes, removes: [], wanted: writes }, progress);
    expect([progress.doneNames, progress.failures.get("tls.key")?.class]).toEqual([["BETA"], "rejected"]);
    expect(await peek()).toEqual({ "tls.key": "test-foreign", BETA: "test-two" });
  });

  it("keeps annotations, labels and keys of others, and what is ours and not in the change", async () => {
    const { name, open, set, peek } = begin();
    const target = await open();
    await writeAll(target, { ALPHA: "test-one", BETA: "test-two" });
    await server.edit(namespace, name, ({ metadata }) => {
      metadata["labels"] = { team: "test" };
      metadata.annotations = { ...metadata.annotations, "example.com/note": "test note" };
    });
    await set("THEIRS", "test-theirs");
    await writeAll(target, { GAMMA: "test-three" });
    expect(await peek()).toEqual({ ALPHA: "test-one", BETA: "test-two", GAMMA: "test-three", THEIRS: "test-theirs" });
    const held = await server.find(namespace, name);
    expect(held?.metadata).toMatchObject({
      labels: { team: "test" },
      annotations: { "example.com/note": "test note" },
    });
    const removes = [...(await inspectByName(target, [])).values()];
    expect(removes.map((it) => it.name)).toEqual(["ALPHA", "BETA", "GAMMA"]);
    await target.apply({ writes: [], removes, wanted: [] }, recordProgress());
    expect(await peek()).toEqual({ THEIRS: "test-theirs" });
  });

  it("writes nothing over a Secret that changed since it was looked at, and makes it anew when it is gone", async () => {
    const { name, open, set, peek } = begin();
    const target = await open();
    await writeAll(target, { ALPHA: "test-one" });
    await set("OTHER", "test-other");
    const writes = [itemOf("BETA", "test-two")];
    const change = { writes, removes: [], wanted: writes };
    expect((await targetFailure(target.apply(change, recordProgress()))).class).toBe("transient");
    await fetch(`${server.url}/api/v1/namespaces/${namespace}/secrets/${name}`, { method: "DELETE" });
    expect((await targetFailure(target.apply(change, recordProgress()))).class).toBe("transient");
    await writeAll(target, { ALPHA: "test-again" });
    expect(await peek()).toEqual({ ALPHA: "test-again" });
  });

  it("carries every value byte for byte", async () => {
    const { open } = begin();
    const target = await open();
    const values = Object.entries(nastyValues).filter(([key]) => key !== "MIB");
    const writes = values.map(([key, bytes]) => ({ ...itemOf(key, key), value: Secret.fromBytes(bytes) }));
    await target.apply({ writes, removes: [], wanted: writes }, recordProgress());
    const found = await inspectByName(
      target,
      values.map(([key]) => key),
    );
    const isWrong = ([key, bytes]: [string, Buffer]) =>
      !bytes.equals(found.get(key)?.value?.reveal() ?? Buffer.from("x"));
    expect(values.filter(isWrong).map(([key]) => key)).toEqual([]);
  });
});
