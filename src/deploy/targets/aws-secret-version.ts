import { createHash } from "node:crypto";
import type { Secret } from "../../secret/secret.ts";
import type { AwsSecrets, AwsSecretState } from "../../services/aws-secrets.ts";
import { overtaken } from "./write-checks.ts";

/** A label of our own, so that a new version is not current before it is known that nothing came between. */
const stagingLabel = "SEALTREE";

/** A version that is to be current in place of another. */
interface VersionMove {
  /** The name of the secret. */
  readonly id: string;
  readonly version: string;
  /** The version that was current when it was looked at; undefined when none was. */
  readonly from: string | undefined;
}

/**
 * Makes a value the current version. A version that is there already is not made again. Throws
 * `transient` when another one is current by now.
 */
export async function makeCurrent(client: AwsSecrets, move: VersionMove, value: Secret): Promise<void> {
  const { id, version, from } = move;
  if (from === version) return;
  if (from === undefined) return await client.put(id, value, version);
  await client.put(id, value, version, stagingLabel);
  if (await client.moveCurrent(id, version, from)) return;
  if ((await client.describe(id))?.current !== version) throw overtaken();
}

/** Why nothing can be written, with what to do about it; undefined when something can. */
export function blockOf({ name, isDeleted, isManaged }: AwsSecretState, region: string): string | undefined {
  if (isDeleted) {
    return `its deletion is scheduled; to have it back: aws secretsmanager restore-secret --region ${region} --secret-id ${name}`;
  }
  return isManaged ? "Amazon changes its value itself: it rotates it, or it belongs to another service" : undefined;
}

/** The id of a version, a UUID of version 8 (RFC 9562 section 5.8): made of what it is, never of its value. */
export function versionIdOf(what: readonly unknown[]): string {
  const digest = createHash("sha256")
    .update(JSON.stringify(["sealtree", ...what]))
    .digest();
  const bytes = digest.subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
