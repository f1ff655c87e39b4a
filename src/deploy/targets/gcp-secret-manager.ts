import { z } from "zod";
import { gcpReferences } from "../../services/gcp-login.ts";
import {
  createGcpSecrets,
  gcpSecretsConnection,
  type GcpSecretState,
  type GcpVersion,
} from "../../services/gcp-secrets.ts";
import { mapLimit } from "../../services/map-limit.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { applyEach } from "./apply-each.ts";
import { addressTag, findMarkTags, isSameMark, printMarkTags, unknownFingerprint } from "./mark-tags.ts";
import { createPermittedReader, parallelLooks } from "./permitted-reader.ts";
import type { Found, Item, OpenTarget, Target } from "./target.ts";
import { hasSameBytes, overtaken, refuseEmpty } from "./write-checks.ts";

const options = z.strictObject({
  ...gcpSecretsConnection,
  /** Where a new secret is kept; anywhere without. */
  locations: z
    .array(z.string().regex(/^[a-z]+(?:-[a-z]+)*\d*$/))
    .min(1)
    .max(20)
    .exactOptional(),
});
type GcpSecretManagerOptions = z.infer<typeof options>;

/** The payload of a version has 64 KiB at most. */
const maxBytes = 65_536;
/** Labels can be searched for and have no capital letters; annotations take the address. */
const label = { name: "sealtree", value: "managed" } as const;
/** The version that the mark is of. */
const versionKey = "sealtree-version";

/** Secrets of Google Cloud Secret Manager (API v1). */
export const gcpSecretManagerTarget: Target<GcpSecretManagerOptions> = {
  describe: "secrets of Google Cloud Secret Manager",
  options,
  facts: () => ({
    readsBack: true,
    keepsMarks: true,
    hasVersions: true,
    comparesAndSwaps: false,
    nameRule: {
      pattern: /^[A-Za-z0-9_-]+$/,
      says: "letters, digits, _ and -; a dot becomes _",
      maxLength: 255,
      ignoresCase: false,
    },
    maxValueBytes: maxBytes,
    holdsBinary: true,
    needsAfterwards: "programs that read a fixed version, or keep what they have read, must read the newest",
  }),
  references: ({ credentials }) => gcpReferences(credentials),
  place: ({ project }) => `Google Secret Manager, project ${project}`,
  toName: (name) => name.replaceAll(".", "_"),
  open: (checked, access) => Promise.resolve(openSecrets(checked, access)),
};

function openSecrets(checked: GcpSecretManagerOptions, access: ServiceAccess): OpenTarget {
  const { project, locations } = checked;
  const client = createGcpSecrets(checked, access);
  const read = createPermittedReader(async (name) => await client.read(name));
  const replication =
    locations === undefined
      ? { automatic: {} }
      : { userManaged: { replicas: locations.map((location) => ({ location })) } };

  async function look(name: string): Promise<readonly Found[]> {
    const state = await client.find(name);
    if (state === undefined) return [];
    const latest = await client.findLatest(name);
    const found = { ...foundOf(state), changedAtMs: latest?.createdAtMs };
    if (latest?.isEnabled === false && !latest.isDestroyed) {
      return [{ ...found, blocked: disabledWords(name, latest, project) }];
    }
    const value = latest?.isEnabled === true ? await read(name) : undefined;
    if (value !== undefined || found.mark === undefined || isOurs(state, latest)) return [{ ...found, value }];
    return [{ ...found, mark: { ...found.mark, fingerprint: unknownFingerprint } }];
  }
  /** The secret that a value goes to, made when there is none. Throws `transient` for somebody else's. */
  async function prepare({ name, mark, found }: Item): Promise<GcpSecretState> {
    const state = await client.find(name);
    if (state !== undefined) {
      if (found === undefined && foundOf(state).mark?.address !== mark.address) throw overtaken();
      return state;
    }
    // Without the fingerprint: there is no value yet.
    const { [addressTag]: address = "" } = printMarkTags(mark);
    const rest = { labels: { [label.name]: label.value }, annotations: { [addressTag]: address } };
    if (!(await client.create(name, rest, replication))) throw overtaken();
    return (await client.find(name)) ?? { name, ...rest, etag: undefined };
  }
  async function write(item: Item): Promise<void> {
    refuseEmpty(item, "Secret Manager");
    const state = await prepare(item);
    const latest = await client.findLatest(item.name);
    const isThere = latest?.isEnabled === true && (await isCurrent(item, state, latest));
    const version = isThere ? latest.number : await client.addVersion(item.name, item.value);
    const annotations = { ...state.annotations, ...printMarkTags(item.mark), [versionKey]: version };
    const labels = { ...state.labels, [label.name]: label.value };
    if (isThere && isSameMark(foundOf(state).mark, item.mark) && isOurs(state, latest)) return;
    await client.update(item.name, { ...state, labels, annotations });
  }
  /** Whether the newest version is the value; where it cannot be read, whether our mark says so. */
  async function isCurrent(item: Item, state: GcpSecretState, latest: GcpVersion): Promise<boolean> {
    const value = await read(item.name);
    if (value !== undefined) return hasSameBytes(value, item.value);
    return isOurs(state, latest) && isSameMark(foundOf(state).mark, item.mark);
  }

  return {
    async inspect(names) {
      const found = (await mapLimit(names, parallelLooks, look)).flat();
      for (const state of await client.list(label.name, label.value)) {
        if (!names.includes(state.name)) found.push(foundOf(state));
      }
      return found;
    },
    apply: async (change, progress) =>
      await applyEach(change, progress, {
        write,
        remove: async ({ name, revision }) => await client.delete(name, revision),
      }),
    close: () => Promise.resolve(),
  };
}

function foundOf({ name, annotations, etag }: GcpSecretState): Found {
  return { name, mark: findMarkTags(new Map(Object.entries(annotations))), revision: etag };
}

/** Whether the newest version is the one that the mark was left for, and can be read. */
function isOurs({ annotations }: GcpSecretState, latest: GcpVersion | undefined): boolean {
  return latest?.isEnabled === true && annotations[versionKey] === latest.number;
}

function disabledWords(name: string, { number }: GcpVersion, project: string): string {
  return `its newest version is disabled; to enable it: gcloud secrets versions enable ${number} --secret=${name} --project=${project}; or destroy it, and a new one is made`;
}
