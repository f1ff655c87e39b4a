import { azureKeyVaultTarget } from "../deploy/targets/azure-key-vault.ts";
import { createAzureSecrets } from "../services/azure-secrets.ts";
import { readEach, type OpenTargetReader } from "./target-reader.ts";

/** Values of an Azure Key Vault. Needs the permission to get secrets. */
export const openAzureReader: OpenTargetReader = (written, access) => {
  const secrets = createAzureSecrets(azureKeyVaultTarget.options.parse(written), access);
  return Promise.resolve({ read: async (names) => await readEach(names, async (name) => await secrets.read(name)) });
};
