import { z } from "zod";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { mapLimit } from "../../services/map-limit.ts";
import { openVaultClient, type VaultClient, type VaultEntry } from "../../services/vault-client.ts";
import { vaultConnectionOptions, vaultPath, vaultReferences } from "../../services/vault-connection.ts";
import { applyEach } from "./apply-each.ts";
import { findMarkList, printMarkList } from "./mark-list.ts";
import type { Found, Item, Mark, OpenTarget, Target } from "./target.ts";
import { hasSameBytes } from "./write-checks.ts";

const options = z.strictObject({
  ...vaultConnectionOptions,
  mount: vaultPath.default("secret"),
  /** The entry, or the folder of entries. */
  path: vaultPath,
  /** `keys`: one entry with a key a secret. `each`: an entry a secret, with the key `value`. */
  layout: z.enum(["keys", "each"]).default("keys"),
});
type VaultOptions = z.infer<typeof options>;

/** A KV engine of version 2 of HashiCorp Vault or OpenBao. */
export const vaultTarget: Target<VaultOptions> = {
  describe: "an entry, or entries, of a KV engine of Vault or OpenBao",
  options,
  facts: ({ layout }) => ({
    readsBack: true,
    keepsMarks: true,
    marksLater: true,
    hasVersions: true,
    comparesAndSwaps: true,
    nameRule: {
      pattern: /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
      says: "letters, digits, _, . and -, not beginning with . or -",
      maxLength: 128,
      ignoresCase: false,
    },
    maxValueBytes,
    ...(layout === "keys" ? { maxTotalBytes: maxValueBytes } : {}),
    holdsBinary: false,
    needsAfterwards: "programs that read it at their start must be restarted",
  }),
  references: (checked) => vaultReferences(checked),
  place({ address, namespace, mount, path, layout }) {
    const { host } = new URL(address);
    const within = namespace === undefined ? "" : `, namespace ${namespace}`;
    return `${host}${within}, ${mount}/${path}${layout === "each" ? "/*" : ""}`;
  },
  toName: (name) => name,
  async open(checked, access) {
    const client = await openVaultClient(checked, checked.mount, access);
    return checked.layout === "keys" ? openKeys(client, checked.path) : openEach(client, checked.path);
  },
};

/** Integrated storage takes 1 MiB an entry; the rest is for JSON and for keys of others. */
const maxValueBytes = 768 * 1024;
/** Of custom metadata (KV version 2): 64 keys, and 512 bytes a value. */
const maxMetadataKeys = 64;
const maxMetadataBytes = 512;

const parallelLooks = 8;
/** OpenBao takes 1000 strings a request, names and values, unless it is told otherwise. */
const maxKeysAtOnce = 400;

const markKey = /^sealtree\.[0-9]{1,2}$/;
/** The value of a key was written, and its mark not yet: ours, and no value that is known. */
const unknownFingerprint = "0".repeat(16);

function openKeys(client: VaultClient, path: string): OpenTarget {
  let entry: VaultEntry | undefined;
  const unmarked = new Map<string, Item>();

  return {
    async inspect(names) {
      await client.check({
        [`data/${path}`]: ["create", "read", "update", "patch"],
        [`metadata/${path}`]: ["patch"],
      });
      entry = await client.read(path);
      const marks = new Map(marksOf(entry));
      for (const [name, { mark, value }] of unmarked) {
        const isOurs = !marks.has(name) && hasSameBytes(entry?.data?.get(name), value);
        if (isOurs) marks.set(name, { address: mark.address, fingerprint: unknownFingerprint });
      }
      return [...new Set([...names, ...marks.keys()])].flatMap((name) => foundIn(entry, name, name, marks.get(name)));
    },
    async apply({ writes, removes }, progress) {
      const marks = new Map(marksOf(entry));
      for (const { name, mark } of writes) marks.set(name, mark);
      for (const { name } of removes) marks.delete(name);
      const ours = [...marks].filter(([name]) => writes.some((it) => it.name === name) || entry?.data?.has(name));
      const metadata = printMetadata(new Map(ours), entry);
      const keys = new Map([
        ...writes.map((it) => [it.name, it.value] as const),
        ...removes.map((it) => [it.name, null] as const),
      ]);
      for (const item of writes) unmarked.set(item.name, item);
      if (writes.length > 0 || entry?.data !== undefined) {
        for (const part of partsOf(keys)) entry = await client.write(path, part, entry);
      }
      await client.annotate(path, metadata);
      if (entry !== undefined) entry = { ...entry, customMetadata: merged(entry.customMetadata, metadata) };
      unmarked.clear();
      for (const { name } of [...writes, ...removes]) progress.done(name);
    },
    close: async () => await client.close(),
  };
}

function openEach(client: VaultClient, folder: string): OpenTarget {
  const entries = new Map<string, VaultEntry>();
  const unmarked = new Map<string, Item>();
  const at = (name: string) => `${folder}/${name}`;

  async function find(name: string, isWanted: boolean): Promise<readonly Found[]> {
    const entry = isWanted ? await client.read(at(name)) : await client.readMetadata(at(name));
    if (entry === undefined) entries.delete(name);
    else entries.set(name, entry);
    const written = unmarked.get(name);
    const isOurs = written !== undefined && hasSameBytes(entry?.data?.get("value"), written.value);
    const mark =
      marksOf(entry).get(name) ??
      (isOurs ? { address: written.mark.address, fingerprint: unknownFingerprint } : undefined);
    if (!isWanted && mark === undefined) return [];
    return foundIn(entry, name, isWanted ? "value" : undefined, mark);
  }

  return {
    async inspect(names) {
      const [sample = "sample"] = names;
      await client.check({
        [`data/${at(sample)}`]: ["create", "read", "update", "patch", "delete"],
        [`metadata/${at(sample)}`]: ["read", "patch"],
        [`metadata/${folder}/`]: ["list"],
      });
      const others = (await client.list(folder)).filter((it) => isEntryName(it) && !names.includes(it));
      const looks = [...names.map((it) => [it, true] as const), ...others.map((it) => [it, false] as const)];
      return (await mapLimit(looks, parallelLooks, async ([name, isWanted]) => await find(name, isWanted))).flat();
    },
    async apply(change, progress) {
      await applyEach(change, progress, {
        async write(item) {
          const { name, mark, value } = item;
          const before = entries.get(name);
          const metadata = printMetadata(new Map([[name, mark]]), before);
          unmarked.set(name, item);
          entries.set(name, await client.write(at(name), new Map([["value", value]]), before));
          await client.annotate(at(name), metadata);
          unmarked.delete(name);
        },
        async remove({ name }) {
          const before = await client.read(at(name));
          if (before === undefined) return;
          // Keys of others stay, in a new version.
          const isAlone = [...(before.data?.keys() ?? [])].every((key) => key === "value");
          if (isAlone) await client.remove(at(name));
          else await client.write(at(name), new Map([["value", null]]), before);
          await client.annotate(at(name), printMetadata(new Map(), before));
        },
      });
    },
    close: async () => await client.close(),
  };
}

function partsOf<T>(keys: ReadonlyMap<string, T>): ReadonlyMap<string, T>[] {
  const all = [...keys];
  const count = Math.ceil(all.length / maxKeysAtOnce);
  return Array.from({ length: count }, (_, at) => new Map(all.slice(at * maxKeysAtOnce, (at + 1) * maxKeysAtOnce)));
}

/** A name of `list` that may be the path of an entry of ours, and no folder. */
function isEntryName(name: string): boolean {
  return vaultPath.safeParse(name).success;
}

/** What is under a key, or, without a key, that something is there. */
function foundIn(
  entry: VaultEntry | undefined,
  name: string,
  key: string | undefined,
  mark: Mark | undefined,
): readonly Found[] {
  if (entry?.data === undefined) return [];
  const value = key === undefined ? undefined : entry.data.get(key);
  if (key !== undefined && value === undefined) return [];
  return [{ name, mark, value, changedAtMs: entry.changedAtMs, revision: String(entry.version) }];
}

/** Marks of names; none when they are not of our making. */
function marksOf(entry: VaultEntry | undefined): ReadonlyMap<string, Mark> {
  const pieces = Object.entries(entry?.customMetadata ?? {}).filter(([key]) => markKey.test(key));
  return findMarkList(pieces.map(([, piece]) => piece)) ?? new Map<string, Mark>();
}

function merged(
  before: Readonly<Record<string, string>>,
  change: Readonly<Record<string, string | null>>,
): Readonly<Record<string, string>> {
  const all = { ...before, ...change };
  return Object.fromEntries(Object.entries(all).flatMap(([key, it]) => (it === null ? [] : [[key, it]])));
}

/** Custom metadata with exactly these marks, in which null removes what was more before. Throws `limit`. */
function printMetadata(
  marks: ReadonlyMap<string, Mark>,
  before: VaultEntry | undefined,
): Readonly<Record<string, string | null>> {
  const present = Object.keys(before?.customMetadata ?? {});
  const foreign = present.filter((key) => !markKey.test(key)).length;
  const pieces = printMarkList(marks, maxMetadataBytes);
  if (pieces === undefined || pieces.length + foreign > maxMetadataKeys) {
    throw new ProviderFailure("limit", "the marks of so many secrets have no room beside one entry of Vault", {
      hints: ["take layout each, or spread the scopes over several targets"],
    });
  }
  return Object.fromEntries([
    ...present.filter((key) => markKey.test(key)).map((key) => [key, null] as const),
    ...pieces.map((piece, index) => [`sealtree.${index}`, piece] as const),
  ]);
}
