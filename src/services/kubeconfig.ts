import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { isServiceUrl, type ClientCertificate } from "../net/http-client.ts";
import { ProviderFailure } from "../net/provider-failure.ts";
import { Secret } from "../secret/secret.ts";

/** What it takes to talk to an API server. */
export interface KubeAccess {
  readonly api: string;
  /** PEM of the authorities to trust; undefined for the usual ones. */
  readonly ca: string | undefined;
  readonly token: Secret | undefined;
  readonly clientCertificate: ClientCertificate | undefined;
  /** Of the context. */
  readonly namespace: string | undefined;
}

const cluster = z.looseObject({
  server: z.string(),
  "certificate-authority": z.string().optional(),
  "certificate-authority-data": z.string().optional(),
  "insecure-skip-tls-verify": z.boolean().optional(),
  "proxy-url": z.string().optional(),
  "tls-server-name": z.string().optional(),
});
const user = z.looseObject({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  "client-certificate": z.string().optional(),
  "client-certificate-data": z.string().optional(),
  "client-key": z.string().optional(),
  "client-key-data": z.string().optional(),
});
const config = z.looseObject({
  kind: z.literal("Config"),
  "current-context": z.string().default(""),
  contexts: z.array(
    z.object({
      name: z.string(),
      context: z.looseObject({ cluster: z.string(), user: z.string(), namespace: z.string().optional() }),
    }),
  ),
  clusters: z.array(z.object({ name: z.string(), cluster })),
  users: z.array(z.object({ name: z.string(), user })),
});

/** What a user of a kubeconfig may have that we do not do, and what to do about it. */
const refusedUser: Readonly<Record<string, string>> = {
  exec: "it would start a program that a file names: run that program before, and give its token with token",
  "auth-provider": "plug-ins of kubectl are not run: give a token with token",
  username: "API servers take no passwords any more: give a token with token",
  as: "make a token of the user itself",
};
const refusedCluster: Readonly<Record<string, string>> = {
  "insecure-skip-tls-verify": "without the certificate anybody could be the server: give certificate-authority-data",
  "proxy-url": "requests go to the server itself",
  "tls-server-name": "write the name of the certificate into server",
};

/**
 * What a kubeconfig says for a context, the current one without a name. `held` is its text, or the
 * path of its file, beside which the files that it names are looked for. Tokens and client
 * certificates are taken; plug-ins and what weakens TLS are refused with the reason. Throws
 * ProviderFailure `auth`, without any of the content.
 */
export async function readKubeconfig(held: Secret, contextName: string | undefined): Promise<KubeAccess> {
  const given = held.revealText() ?? "";
  const isText = given.includes("\n");
  const path = given.trim();
  const text = isText ? given : (readText(path) ?? "");
  const { parse } = await import("yaml");
  const parsed = config.safeParse(parseYaml(parse, text));
  if (!parsed.success) {
    throw refused("the kubeconfig cannot be read", "it is the text of a kubeconfig, or the path of one file");
  }
  const folder = isText ? undefined : dirname(path);
  const name = contextName ?? parsed.data["current-context"];
  const context = parsed.data.contexts.find((it) => it.name === name)?.context;
  const server = parsed.data.clusters.find((it) => it.name === context?.cluster)?.cluster;
  const login = parsed.data.users.find((it) => it.name === context?.user)?.user;
  if (context === undefined || server === undefined || login === undefined) {
    throw refused("the kubeconfig does not have the context, or not its cluster and user", "name one with context");
  }
  checkRefused(server, refusedCluster, "cluster");
  checkRefused(login, refusedUser, "user");
  if (!isServiceUrl(server.server)) {
    throw refused("the server of the kubeconfig is not one that may be used", "https, or http on this machine");
  }
  const read = (data: string | undefined, file: string | undefined) => readPart(data, file, folder);
  const token = login.token ?? read(undefined, login.tokenFile)?.trim();
  return {
    api: server.server,
    ca: read(server["certificate-authority-data"], server["certificate-authority"]),
    token: token === undefined || token === "" ? undefined : Secret.text(token),
    clientCertificate: certificateOf(
      read(login["client-certificate-data"], login["client-certificate"]),
      read(login["client-key-data"], login["client-key"]),
    ),
    namespace: context.namespace,
  };
}

function checkRefused(part: Readonly<Record<string, unknown>>, reasons: Readonly<Record<string, string>>, of: string) {
  for (const [field, reason] of Object.entries(reasons)) {
    const value = part[field];
    if (value === undefined || value === null || value === false) continue;
    throw refused(`the ${of} of the kubeconfig has ${field}, which is not taken`, reason);
  }
}

function readPart(data: string | undefined, file: string | undefined, folder: string | undefined): string | undefined {
  if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
  if (file === undefined) return undefined;
  if (folder === undefined && resolve(file) !== file) {
    throw refused(
      "the kubeconfig names a file beside it, and it is no file",
      "write the content into it: kubectl config view --flatten --raw",
    );
  }
  const text = readText(resolve(folder ?? "/", file));
  if (text !== undefined) return text;
  throw refused(
    "a file that the kubeconfig names cannot be read",
    "write it into it: kubectl config view --flatten --raw",
  );
}

function certificateOf(certificate: string | undefined, key: string | undefined): ClientCertificate | undefined {
  if (certificate === undefined && key === undefined) return undefined;
  try {
    // Node's own complaints of these come late, and look like those of a connection.
    if (new X509Certificate(certificate ?? "").checkPrivateKey(createPrivateKey(key ?? ""))) {
      return { certificate: certificate ?? "", key: Secret.text(key ?? "") };
    }
  } catch {
    // The cause may quote the key.
  }
  throw refused("the client certificate of the kubeconfig and its key do not fit", "make the kubeconfig anew");
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function parseYaml(parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text);
  } catch {
    // The cause quotes the text.
    return undefined;
  }
}

function refused(message: string, hint: string): ProviderFailure {
  return new ProviderFailure("auth", message, { hints: [hint] });
}
