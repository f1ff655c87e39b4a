import { gcpSecretManagerTarget } from "../deploy/targets/gcp-secret-manager.ts";
import { createGcpSecrets } from "../services/gcp-secrets.ts";
import { readEach, type OpenTargetReader } from "./target-reader.ts";

/** Values of Google Cloud Secret Manager. Needs `secretmanager.versions.access`. */
export const openGcpReader: OpenTargetReader = (written, access) => {
  const secrets = createGcpSecrets(gcpSecretManagerTarget.options.parse(written), access);
  return Promise.resolve({ read: async (names) => await readEach(names, async (name) => await secrets.read(name)) });
};
