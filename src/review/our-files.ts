import { policyTestPath } from "../access/policy-test.ts";
import { signersPath } from "../access/signers.ts";
import { isMemberName } from "../store/generation-file.ts";
import {
  accessPolicyPath,
  deployPolicyPath,
  membersDirectory,
  parseSecretsPath,
  rotationPolicyPath,
  secretSchemaPath,
  secretsDirectory,
} from "../store/layout.ts";

const policyFiles = new Set([
  accessPolicyPath,
  policyTestPath,
  rotationPolicyPath,
  secretSchemaPath,
  signersPath,
  deployPolicyPath,
]);

/** True when a file of sealtree may stand at `path`, which is below `secrets/` or `policies/`. */
export function isOurs(path: string): boolean {
  if (path.startsWith(`${secretsDirectory}/`)) return parseSecretsPath(path) !== undefined;
  if (!path.startsWith(`${membersDirectory}/`)) return policyFiles.has(path);
  return path.endsWith(".pub") && isMemberName(path.slice(membersDirectory.length + 1, -".pub".length));
}
