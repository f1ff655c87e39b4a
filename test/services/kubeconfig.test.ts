import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { Secret } from "../../src/secret/secret.ts";
import { readKubeconfig } from "../../src/services/kubeconfig.ts";
import { kubernetesServer, openKubernetesClient } from "../../src/services/kubernetes-client.ts";
import { providerAccess } from "../support/provider-access.ts";
import { targetFailure } from "../support/target-contract.ts";
import { makeTestCertificate } from "../support/test-certificate.ts";
import { makeThrowAway } from "../support/throw-away.ts";

const canary = "contract-canary-5v1t";
const client = makeTestCertificate({ type: "ec" });
const base64 = (text: string) => Buffer.from(text).toString("base64");

function configOf(cluster: object, user: object, more: object = {}): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    contexts: [
      { name: "test", context: { cluster: "test", user: "test", namespace: "test-space" } },
      { name: "lost", context: { cluster: "none", user: "test" } },
    ],
    clusters: [{ name: "test", cluster: { server: "https://k8s.example.com:6443", ...cluster } }],
    users: [{ name: "test", user }],
    ...more,
  });
}

const read = async (text: string, context?: string) => await readKubeconfig(Secret.text(text), context);

describe("a kubeconfig", () => {
  it("gives server, authority, token and namespace of its context", async () => {
    const cluster = { "certificate-authority-data": base64(client.pem) };
    const found = await read(configOf(cluster, { token: "test-token" }));
    expect(found).toMatchObject({ api: "https://k8s.example.com:6443", ca: client.pem, namespace: "test-space" });
    expect(found.token?.revealText()).toBe("test-token");
    expect(found.clientCertificate).toBeUndefined();
  });

  it("is read from its file too, with the files that it names beside it", async () => {
    const folder = makeThrowAway("sealtree-test-");
    mkdirSync(join(folder, "pki"));
    writeFileSync(join(folder, "pki/ca.crt"), client.pem);
    writeFileSync(join(folder, "pki/client.crt"), client.pem);
    writeFileSync(join(folder, "pki/client.key"), client.keyPem);
    writeFileSync(join(folder, "token"), "test-token\n");
    const user = {
      "client-certificate": "pki/client.crt",
      "client-key": "pki/client.key",
      tokenFile: join(folder, "token"),
    };
    const text = configOf({ "certificate-authority": "pki/ca.crt" }, user);
    writeFileSync(join(folder, "config"), text);
    const found = await read(join(folder, "config"));
    expect([found.ca, found.token?.revealText(), found.clientCertificate?.certificate]).toEqual([
      client.pem,
      "test-token",
      client.pem,
    ]);
    expect((await targetFailure(read(text))).hints).toEqual([
      "write the content into it: kubectl config view --flatten --raw",
    ]);
  });

  it("proves with its client certificate who it is, in a handshake over TLS", async () => {
    const own = makeTestCertificate({ type: "ec", ip: ["127.0.0.1"] });
    const seen: unknown[] = [];
    const tls = { key: own.keyPem, cert: own.pem, ca: client.pem, requestCert: true, rejectUnauthorized: true };
    const server = createServer(tls, (request, response) => {
      seen.push((request.socket as TLSSocket).authorized, request.headers.authorization);
      response.writeHead(404, { "content-type": "application/json" }).end("{}");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const cluster = { server: `https://127.0.0.1:${port}`, "certificate-authority-data": base64(own.pem) };
    const open = async (user: object) =>
      await openKubernetesClient(
        kubernetesServer.parse({ kubeconfig: "${env:KUBECONFIG}" }),
        providerAccess({ KUBECONFIG: configOf(cluster, user) }),
      );
    const user = { "client-certificate-data": base64(client.pem), "client-key-data": base64(client.keyPem) };
    expect(await (await open(user)).findSecret("test-space", "test-secret")).toBeUndefined();
    expect(seen).toEqual([true, undefined]);
    const without = await open({ token: "test-token" });
    expect((await targetFailure(without.findSecret("test-space", "test-secret"))).class).toBe("transient");
  });

  it("is refused with the reason when it would start a program, or weakens TLS", async () => {
    const refused: readonly [object, object, string][] = [
      [{}, { exec: { command: canary } }, "exec"],
      [{}, { "auth-provider": { name: canary } }, "auth-provider"],
      [{}, { username: "test", password: canary }, "username"],
      [{}, { as: canary, token: canary }, "as"],
      [{ "insecure-skip-tls-verify": true }, { token: canary }, "insecure-skip-tls-verify"],
      [{ "proxy-url": "http://localhost:1" }, { token: canary }, "proxy-url"],
      [{ "tls-server-name": "test" }, { token: canary }, "tls-server-name"],
    ];
    for (const [cluster, user, field] of refused) {
      const failure = await targetFailure(read(configOf(cluster, user)));
      expect([failure.class, failure.message]).toEqual([
        "auth",
        expect.stringContaining(` has ${field}, which is not taken`),
      ]);
      expect(failure.hints.length).toBe(1);
    }
    expect((await read(configOf({ "insecure-skip-tls-verify": false }, { token: "test" }))).token).toBeDefined();
  });

  it("is refused without a word of it when it is none", async () => {
    const bad = [
      canary,
      `/nowhere/${canary}`,
      `a: [${canary}\n`,
      `kind: Config\nusers: ${canary}\n`,
      configOf({}, { token: canary }, { "current-context": canary }),
      configOf({ server: `http://${canary}.example.com` }, { token: canary }),
      configOf({}, { "client-certificate-data": base64(client.pem), "client-key-data": base64(canary) }),
      configOf({}, { "client-certificate-data": base64(client.pem) }),
      configOf(
        {},
        { "client-certificate-data": base64(client.pem), "client-key-data": base64(makeTestCertificate().keyPem) },
      ),
    ];
    for (const text of bad) expect((await targetFailure(read(text))).class).toBe("auth");
    expect((await targetFailure(read(configOf({}, {}), "lost"))).class).toBe("auth");
    expect((await targetFailure(read(configOf({}, {}), "none"))).class).toBe("auth");
  });
});
