import { createHash } from "node:crypto";
import { isSealtreeError, SealtreeError } from "../errors.ts";
import { findSshPublicKey, type SshPublicKey } from "../crypto/ssh-public-key.ts";
import { findSshFlaw, isSshKind } from "../crypto/ssh-strength.ts";
import { decodeUtf8 } from "../secret/utf8.ts";

/** A public key that a user has published. */
export interface PublishedKey {
  readonly type: string;
  /** `type base64`. */
  readonly text: string;
  /** `SHA256:...`, as `ssh-keygen -lf` prints it. */
  readonly fingerprint: string;
}

export interface PublishedKeys {
  /** Where they are from, without the scheme: `github.com/bob`. */
  readonly source: string;
  readonly keys: readonly PublishedKey[];
  /** RSA keys that are too short, and others that nobody could have; nothing is done with them. */
  readonly unfit: readonly (PublishedKey & { readonly reason: string })[];
}

export interface FetchOptions {
  /** Such as `https://github.com`. Without TLS only on this machine. */
  readonly baseUrl: string;
  readonly timeoutMs: number;
}

export const githubUrl = "https://github.com";

const maxBytes = 64 * 1024;
const maxRedirects = 3;

/**
 * The SSH keys that a user has published at `BASE/USER.keys`, each once. Follows redirects on
 * the same host only. Throws E_USER_NOT_FOUND, E_NETWORK, and E_USAGE for a name or an address
 * that cannot be one; none of them repeats what the server said.
 */
export async function fetchPublishedKeys(user: string, options: FetchOptions): Promise<PublishedKeys> {
  if (!/^[A-Za-z0-9-]{1,39}$/.test(user)) {
    throw new SealtreeError("E_USAGE", "that is not a GitHub user name", {
      hints: ["letters, digits and -, at most 39"],
    });
  }
  const base = parseBase(options.baseUrl);
  const source = `${base.host}${base.pathname.replace(/\/$/, "")}/${user}`;
  const text = await fetchText(new URL(`${base.href.replace(/\/$/, "")}/${user}.keys`), source, options.timeoutMs);
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const found = new Map(
    lines.map((line) => {
      const key = findSshPublicKey(line);
      if (key === undefined) throw badAnswer(source, "something that is no list of SSH keys");
      return [key.text, key] as const;
    }),
  );
  if (found.size === 0) {
    throw new SealtreeError("E_USER_NOT_FOUND", `${source} has published no SSH key`, {
      hints: ["ask for a public key, and give it with --recipient", "sealtree keygen -o FILE makes one"],
    });
  }
  const keys: PublishedKey[] = [];
  const unfit: (PublishedKey & { reason: string })[] = [];
  for (const key of found.values()) {
    const flaw = isSshKind(key.type) ? findSshFlaw(key) : undefined;
    if (flaw === undefined) keys.push(describe(key));
    else unfit.push({ ...describe(key), reason: flaw });
  }
  return { source, keys, unfit };
}

function describe({ type, text, blob }: SshPublicKey): PublishedKey {
  const digest = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
  return { type, text, fingerprint: `SHA256:${digest}` };
}

function parseBase(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLocal = url !== undefined && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  const isFit = url?.protocol === "https:" || (url?.protocol === "http:" && isLocal);
  if (url !== undefined && isFit && url.search === "" && url.hash === "" && url.username === "" && url.password === "")
    return url;
  throw new SealtreeError("E_USAGE", "SEALTREE_GITHUB_URL is not an address such as https://github.example.com", {
    hints: ["https, or http on this machine; without a user, a query and a fragment"],
  });
}

async function fetchText(start: URL, source: string, timeoutMs: number): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  let url = start;
  try {
    for (let redirects = 0; ; redirects++) {
      const response = await fetch(url.href, { redirect: "manual", signal, headers: { accept: "text/plain" } });
      const location = response.headers.get("location");
      if (response.status < 300 || response.status >= 400 || location === null) return await readText(response, source);
      await response.body?.cancel();
      url = followTo(location, url, source);
      if (redirects >= maxRedirects) throw badAnswer(source, "one redirect after another");
    }
  } catch (error) {
    throw isSealtreeError(error) ? error : unreachable(source, error, timeoutMs);
  }
}

function followTo(location: string, from: URL, source: string): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (url === undefined || url.origin !== from.origin) throw badAnswer(source, "a redirect to another host");
  return url;
}

async function readText(response: Response, source: string): Promise<string> {
  if (response.status === 404) {
    throw new SealtreeError("E_USER_NOT_FOUND", `there is no ${source}`, {
      hints: ["check the spelling of the user name", "or ask for a public key, and give it with --recipient"],
    });
  }
  if (response.status !== 200) throw badAnswer(source, `status ${response.status}`);
  if (!/^text\/plain(?:;|$)/i.test(response.headers.get("content-type") ?? ""))
    throw badAnswer(source, "something that is not plain text");
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body: AsyncIterable<Uint8Array> | undefined = response.body ?? undefined;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw badAnswer(source, "more than 64 KiB");
    chunks.push(chunk);
  }
  const text = decodeUtf8(Buffer.concat(chunks));
  if (text === undefined) throw badAnswer(source, "something that is not UTF-8");
  return text;
}

function badAnswer(source: string, what: string): SealtreeError {
  return new SealtreeError("E_NETWORK", `${source} answered with ${what}`, { hints: wayOut });
}

function unreachable(source: string, error: unknown, timeoutMs: number): SealtreeError {
  const isTimeout = error instanceof Error && error.name === "TimeoutError";
  const what = isTimeout ? `did not answer within ${Math.round(timeoutMs / 1000)} s` : "cannot be reached";
  return new SealtreeError("E_NETWORK", `${source} ${what}`, { hints: wayOut, cause: error });
}

const wayOut = [
  "try again, or ask for the public keys and give them with --ssh",
  "SEALTREE_GITHUB_URL names another server than https://github.com",
];
