import { z } from "zod";
import type { HttpAnswer } from "../net/http-client.ts";
import { ProviderFailure } from "../net/provider-failure.ts";
import { Secret } from "../secret/secret.ts";
import { readAnswer } from "./service-answer.ts";
import type { ServiceAccess } from "./service-access.ts";
import { openVaultSession, type VaultConnection, type VaultSession } from "./vault-connection.ts";

/** One entry of a KV engine of version 2, as it is now. */
export interface VaultEntry {
  /** The newest version, also when it was deleted; a write that names it is refused when there is a newer one. */
  readonly version: number;
  /** Its keys; undefined when the newest version was deleted or destroyed. A value that is no text is its JSON. */
  readonly data: ReadonlyMap<string, Secret> | undefined;
  readonly customMetadata: Readonly<Record<string, string>>;
  /** When the newest version was made or deleted, in milliseconds since 1970. */
  readonly changedAtMs: number | undefined;
}

/** The entries of one mount of a KV engine of version 2. Every call throws ProviderFailure. */
export interface VaultClient {
  /** The entry at `path`, such as `apps/api`; undefined when it never had a version, or none is left. */
  read(path: string): Promise<VaultEntry | undefined>;
  /** An entry without its values: `data` is empty where there are some. */
  readMetadata(path: string): Promise<VaultEntry | undefined>;
  /** Names below a folder, those that end in / being folders; empty when it is not there. */
  list(folder: string): Promise<readonly string[]>;
  /**
   * Sets keys and removes those that are null, and keeps all others, as a new version on top of
   * `before`. Throws `transient` when the entry has changed since.
   */
  write(path: string, keys: ReadonlyMap<string, Secret | null>, before: VaultEntry | undefined): Promise<VaultEntry>;
  /** Sets custom metadata and removes those that are null, and keeps all others. Makes no version. */
  annotate(path: string, metadata: Readonly<Record<string, string | null>>): Promise<void>;
  /** Deletes the newest version, which can be taken back. */
  remove(path: string): Promise<void>;
  /** Throws `auth` or `rejected` when the mount is none, or what one may do at `path` is less than `needs`. */
  check(needs: Readonly<Record<string, readonly string[]>>): Promise<void>;
  close(): Promise<void>;
}

const versionInfo = z.object({
  version: z.number(),
  created_time: z.string().default(""),
  deletion_time: z.string().default(""),
  custom_metadata: z.record(z.string(), z.string()).nullish(),
});
const readVersion = z.object({
  data: z.object({ data: z.record(z.string(), z.unknown()).nullish(), metadata: versionInfo }),
});
const written = z.object({ data: z.object({ version: z.number(), created_time: z.string().default("") }) });
const listed = z.object({ data: z.object({ keys: z.array(z.string()) }) });
const metadataOf = z.object({
  data: z.object({
    current_version: z.number(),
    updated_time: z.string().default(""),
    custom_metadata: z.record(z.string(), z.string()).nullish(),
    versions: z.record(z.string(), z.object({ deletion_time: z.string().default(""), destroyed: z.boolean() })),
  }),
});
const mounted = z.object({
  data: z.object({ type: z.string(), options: z.record(z.string(), z.string()).nullish() }),
});
const capabilities = z.object({ data: z.record(z.string(), z.unknown()) });

const mergePatch = { "content-type": "application/merge-patch+json" };

/** Signs in and works with the entries of `mount` (Vault HTTP API, KV version 2). Throws ProviderFailure. */
export async function openVaultClient(
  connection: VaultConnection,
  mount: string,
  access: ServiceAccess,
): Promise<VaultClient> {
  const session = await openVaultSession(connection, access);
  const at = (kind: "data" | "metadata", path: string) => [...mount.split("/"), kind, ...path.split("/")];

  return {
    async read(path) {
      const answer = await session.send({ method: "GET", path: at("data", path), expect: [200, 404] });
      // A version that was deleted is told with 404, too.
      if (answer.status === 404 && !readVersion.safeParse(answer.json).success) return undefined;
      const { data, metadata } = readAnswer(readVersion, answer).data;
      const keys = Object.entries(data ?? {}).map(([key, value]) => [key, secretOf(value)] as const);
      return {
        version: metadata.version,
        data: answer.status === 404 ? undefined : new Map(keys),
        customMetadata: metadata.custom_metadata ?? {},
        changedAtMs: timeOf(metadata.deletion_time === "" ? metadata.created_time : metadata.deletion_time),
      };
    },
    async readMetadata(path) {
      const answer = await session.send({ method: "GET", path: at("metadata", path), expect: [200, 404] });
      if (answer.status === 404) return undefined;
      const { data } = readAnswer(metadataOf, answer);
      const newest = data.versions[String(data.current_version)];
      const isThere = newest !== undefined && newest.deletion_time === "" && !newest.destroyed;
      return {
        version: data.current_version,
        data: isThere ? new Map() : undefined,
        customMetadata: data.custom_metadata ?? {},
        changedAtMs: timeOf(data.updated_time),
      };
    },
    async list(folder) {
      const query = { list: "true" };
      const answer = await session.send({ method: "GET", path: at("metadata", folder), query, expect: [200, 404] });
      return answer.status === 404 ? [] : readAnswer(listed, answer).data.keys;
    },
    async write(path, keys, before) {
      const isPatch = before?.data !== undefined;
      const set = [...keys].filter(([, value]) => isPatch || value !== null);
      const answer = await session.send({
        method: isPatch ? "PATCH" : "POST",
        path: at("data", path),
        headers: isPatch ? mergePatch : {},
        body: { json: { data: Object.fromEntries(set), options: { cas: before?.version ?? 0 } } },
        expect: isPatch ? [200, 400, 404] : [200, 400],
      });
      if (answer.status !== 200) throw notWritten(answer);
      const { version, created_time: time } = readAnswer(written, answer).data;
      const data = new Map(before?.data);
      for (const [key, value] of set) {
        if (value === null) data.delete(key);
        else data.set(key, value);
      }
      return { version, data, customMetadata: before?.customMetadata ?? {}, changedAtMs: timeOf(time) };
    },
    async annotate(path, metadata) {
      const body = { json: { custom_metadata: metadata } };
      const target = at("metadata", path);
      const answer = await session.send({
        method: "PATCH",
        path: target,
        headers: mergePatch,
        body,
        expect: [204, 400],
      });
      if (answer.status === 204) return;
      throw new ProviderFailure("limit", "Vault does not take the marks of this entry", {
        hints: ["an entry holds 64 keys of custom metadata at most: remove some, or take layout each"],
      });
    },
    async remove(path) {
      await session.send({ method: "DELETE", path: at("data", path), expect: [204, 404] });
    },
    check: async (needs) => await checkMount(session, mount, needs),
    close: async () => await session.close(),
  };
}

function secretOf(value: unknown): Secret {
  return Secret.text(typeof value === "string" ? value : JSON.stringify(value));
}

function timeOf(text: string): number | undefined {
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** The text is looked at only to tell the two apart. */
function notWritten(answer: HttpAnswer): ProviderFailure {
  if (answer.status === 404 || answer.text?.includes("check-and-set") === true) {
    return new ProviderFailure("transient", "the entry in Vault changed since it was looked at");
  }
  return new ProviderFailure("rejected", "Vault does not take the entry", {
    hints: ["a value may be larger than this server takes"],
  });
}

async function checkMount(
  session: VaultSession,
  mount: string,
  needs: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  const path = ["sys", "internal", "ui", "mounts", ...mount.split("/")];
  const answer = await session.send({ method: "GET", path, expect: [200, 403] });
  if (answer.status === 403) {
    throw new ProviderFailure("auth", "Vault does not let us in there", {
      hints: ["the token is not good, or the mount is not there, or no policy of the token names a path in it"],
    });
  }
  const { type, options } = readAnswer(mounted, answer).data;
  if (type !== "kv" || options?.["version"] !== "2") {
    throw new ProviderFailure("rejected", "the mount is not a KV engine of version 2", {
      hints: ["turn it into one: vault kv enable-versioning MOUNT"],
    });
  }
  const body = { json: { paths: Object.keys(needs).map((it) => `${mount}/${it}`) } };
  const asked = { method: "POST", path: ["sys", "capabilities-self"], body, expect: [200, 403] } as const;
  const told = await session.send(asked);
  // A token without the default policy may not ask.
  if (told.status === 403) return;
  const { data } = readAnswer(capabilities, told);
  for (const [place, wanted] of Object.entries(needs)) {
    const has = z.array(z.string()).catch([]).parse(data[`${mount}/${place}`]);
    const missing = has.includes("root") ? [] : wanted.filter((it) => !has.includes(it));
    if (missing.length === 0) continue;
    throw new ProviderFailure("auth", `the token may not ${missing.join(", ")} at ${mount}/${place}`, {
      hints: ["docs/targets/vault.md has the policy that it needs"],
    });
  }
}
