import { vaultTarget } from "../deploy/targets/vault.ts";
import type { Secret } from "../secret/secret.ts";
import { openVaultClient } from "../services/vault-client.ts";
import { readEach, type OpenTargetReader } from "./target-reader.ts";

/** Values of a KV engine of Vault or OpenBao. Needs `read` on the data of the entry, or of the entries. */
export const openVaultReader: OpenTargetReader = async (written, access) => {
  const options = vaultTarget.options.parse(written);
  const { mount, path, layout } = options;
  const client = await openVaultClient(options, mount, access);
  return {
    async read(names) {
      if (layout === "each") return await readEach(names, async (name) => await readValue(`${path}/${name}`));
      const keys = (await client.read(path))?.data ?? new Map<string, Secret>();
      return new Map([...keys].filter(([name]) => names.includes(name)));
    },
    close: async () => await client.close(),
  };

  async function readValue(entry: string): Promise<Secret | undefined> {
    return (await client.read(entry))?.data?.get("value");
  }
};
