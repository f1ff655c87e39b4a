import { z } from "zod";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { azureReferences } from "../../services/azure-login.ts";
import { azureSecretsConnection, createAzureSecrets, type AzureSecretState } from "../../services/azure-secrets.ts";
import { mapLimit } from "../../services/map-limit.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { applyEach } from "./apply-each.ts";
import { findMarkTags, isSameMark, printMarkTags } from "./mark-tags.ts";
import { createPermittedReader, parallelLooks } from "./permitted-reader.ts";
import type { Found, Item, OpenTarget, Target } from "./target.ts";
import { hasSameBytes, overtaken, refuseUnfit } from "./write-checks.ts";

const options = z.strictObject(azureSecretsConnection);
type AzureKeyVaultOptions = z.infer<typeof options>;

/** Key Vault takes 25 KB, and a secret has 15 tags at most. */
const maxBytes = 25_600;
const maxTags = 15;

/** Secrets of Azure Key Vault. */
export const azureKeyVaultTarget: Target<AzureKeyVaultOptions> = {
  describe: "secrets of Azure Key Vault",
  options,
  facts: () => ({
    readsBack: true,
    keepsMarks: true,
    hasVersions: true,
    comparesAndSwaps: false,
    nameRule: {
      pattern: /^[0-9a-zA-Z-]+$/,
      says: "letters, digits and -; _ and . become -",
      maxLength: 127,
      ignoresCase: true,
    },
    maxValueBytes: maxBytes,
    holdsBinary: false,
    needsAfterwards: "programs that keep a value they have read must read it again",
  }),
  references: ({ credentials }) => azureReferences(credentials),
  place: ({ vault }) => `Azure Key Vault, ${new URL(vault).host}`,
  toName: (name) => name.replaceAll(/[_.]/g, "-"),
  open: (checked, access) => Promise.resolve(openVault(checked, access)),
};

function openVault(checked: AzureKeyVaultOptions, access: ServiceAccess): OpenTarget {
  const client = createAzureSecrets(checked, access);
  const [vaultName = ""] = new URL(checked.vault).hostname.split(".");
  const read = createPermittedReader(async (name) => await client.get(name));
  /** By name in lower case, since Key Vault knows no other. */
  let listed = new Map<string, AzureSecretState>();

  async function look(name: string): Promise<readonly Found[]> {
    const state = listed.get(name.toLowerCase());
    const blocked = state === undefined ? undefined : blockOf(state, vaultName);
    if (state !== undefined && blocked !== undefined) return [{ ...foundOf(name, state), blocked }];
    const held = await read(name);
    if (held !== undefined) return [{ ...foundOf(name, held.state), value: held.value }];
    if (state !== undefined) return [foundOf(name, state)];
    return (await client.isDeleted(name)) ? [{ name, blocked: deletedWords(name, vaultName) }] : [];
  }
  async function write(item: Item): Promise<void> {
    refuseUnfit(item, maxBytes, "Key Vault");
    // Each call makes a version, so what is there is looked at once more.
    const held = await read(item.name);
    const state = held?.state ?? listed.get(item.name.toLowerCase());
    const mark = state === undefined ? undefined : findMarkTags(new Map(Object.entries(state.tags)));
    if (item.found === undefined && state !== undefined && mark?.address !== item.mark.address) throw overtaken();
    const tags = { ...state?.tags, ...printMarkTags(item.mark) };
    if (Object.keys(tags).length > maxTags) {
      throw new ProviderFailure("rejected", `a secret of Key Vault has ${maxTags} tags at most, and two are ours`);
    }
    if (state?.version === undefined || !hasSameBytes(held?.value, item.value)) {
      const { contentType, attributes } = state ?? { contentType: undefined, attributes: {} };
      await client.set(item.name, item.value, { tags, contentType, attributes });
    } else if (!isSameMark(mark, item.mark)) {
      await client.setTags(item.name, state.version, tags);
    }
  }

  return {
    async inspect(names) {
      listed = new Map((await client.list()).map((state) => [state.name.toLowerCase(), state]));
      const found = (await mapLimit(names, parallelLooks, look)).flat();
      const asked = new Set(names.map((name) => name.toLowerCase()));
      const others = [...listed].filter(([name]) => !asked.has(name)).map(([, state]) => foundOf(state.name, state));
      return [...found, ...others.filter(({ mark }) => mark !== undefined)];
    },
    apply: async (change, progress) =>
      await applyEach(change, progress, { write, remove: async ({ name }) => await client.delete(name) }),
    close: () => Promise.resolve(),
  };
}

function foundOf(name: string, { tags, version, attributes }: AzureSecretState): Found {
  const changedAtMs = attributes.updated === undefined ? undefined : attributes.updated * 1000;
  return { name, mark: findMarkTags(new Map(Object.entries(tags))), revision: version, changedAtMs };
}

/** Why nothing can be written, with what to do about it; undefined when something can. */
function blockOf({ name, isManaged, attributes }: AzureSecretState, vaultName: string): string | undefined {
  if (isManaged) return "it belongs to a certificate of the vault";
  return attributes.enabled === false
    ? `it is disabled; to enable it: az keyvault secret set-attributes --vault-name ${vaultName} --name ${name} --enabled true`
    : undefined;
}

function deletedWords(name: string, vaultName: string): string {
  const where = `--vault-name ${vaultName} --name ${name}`;
  return `it was deleted and keeps its name; to have it back: az keyvault secret recover ${where}; to end it: az keyvault secret purge ${where}`;
}
