import { isSealtreeError, SealtreeError } from "../errors.ts";
import { isScopePath, isSecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import { decryptWithIdentities } from "./age.ts";
import { encryptToRecipients, type RecipientMixing } from "./age-encrypt.ts";
import { parseArmor } from "./age-armor.ts";
import { printBase64url } from "./base64url.ts";
import { decodeFrame, encodeFrame } from "./frame.ts";
import type { Identity } from "./identity.ts";
import { decodeParts, encodeParts } from "./pae.ts";
import type { LoadPlugins } from "./plugin-host.ts";
import type { Recipient } from "./recipient.ts";
import { type DropHeader, dropHeaderBytes, dropPrefix, dropVersion, maxDropBytes, parseDrop } from "./sealed-header.ts";

/** Where a drop belongs; it is sealed inside, so a drop opens nowhere else. */
export interface DropPlace {
  readonly scope: string;
  readonly name: string;
}

/** Whom a drop is sealed to. */
export interface DropReaders {
  readonly recipients: readonly Recipient[];
  readonly mixing: RecipientMixing;
  /** For recipients of plugins. */
  readonly plugins?: LoadPlugins;
}

const protocol = "sealtree/drop/v1";

/**
 * Seals a value to readers without a key of the scope (docs/format.md, Drop), so that whoever
 * seals it cannot open it. Throws E_VALUE_TOO_LARGE, and what encryptToRecipients throws.
 */
export async function sealDrop(
  { recipients, mixing, plugins }: DropReaders,
  place: DropPlace,
  header: Omit<DropHeader, "stanzas">,
  secret: Secret,
): Promise<string> {
  const headerBytes = encodeHeader(header);
  const payload = encodePayload(place, headerBytes, encodeFrame(place, secret));
  const ageFile = parseArmor(await encryptToRecipients(recipients, payload, mixing, plugins));
  const bytes = Buffer.concat([headerBytes, ageFile]);
  if (bytes.length > maxDropBytes) {
    throw new SealtreeError("E_VALUE_TOO_LARGE", `the drop of ${addressOf(place)} would have ${bytes.length} bytes`, {
      hints: ["its readers have long keys; let a member who may read set a value this large"],
    });
  }
  return dropPrefix + printBase64url(bytes);
}

/**
 * Opens a drop as the value of a place; undefined when it is sealed to none of the identities.
 * Releases nothing before every check passed. Throws E_RECORD_MALFORMED, and E_RECORD_INTEGRITY
 * for one that was changed or belongs elsewhere; neither holds a byte of the value.
 */
export async function openDrop(
  drop: string,
  place: DropPlace,
  identities: readonly Identity[],
): Promise<Secret | undefined> {
  const { headerBytes, ageFile } = parseDrop(drop);
  const payload = await decrypt(ageFile, place, identities);
  if (payload === undefined) return undefined;
  const [label, scope, name, header, frame, ...others] = decodeParts(payload) ?? [];
  if (label?.toString("latin1") !== protocol || header === undefined || frame === undefined || others.length > 0)
    throw integrityError(place, "its payload is not one of sealtree");
  checkPlace(place, { scope: scope?.toString("utf8") ?? "", name: name?.toString("utf8") ?? "" });
  if (!header.equals(headerBytes)) throw integrityError(place, "its header was changed");
  const secret = decodeFrame(frame);
  if (secret === undefined) throw integrityError(place, "its value is not written as sealtree writes it");
  return secret;
}

async function decrypt(
  ageFile: Uint8Array,
  place: DropPlace,
  identities: readonly Identity[],
): Promise<Uint8Array | undefined> {
  try {
    return (await decryptWithIdentities(ageFile, identities, { maxBytes: maxDropBytes }))?.plaintext;
  } catch (error) {
    if (isSealtreeError(error) && error.code === "E_AGE_MALFORMED") throw integrityError(place, "it was changed");
    throw error;
  }
}

/** The names in the payload are repeated only when they are names: whoever sealed it chose them. */
function checkPlace(place: DropPlace, sealed: DropPlace): void {
  if (sealed.scope === place.scope && sealed.name === place.name) return;
  const isAddress = isScopePath(sealed.scope) && isSecretName(sealed.name);
  throw integrityError(place, isAddress ? `it was sealed for ${addressOf(sealed)}` : "it was sealed for another place");
}

function encodeHeader({ valueId, createdAt }: Omit<DropHeader, "stanzas">): Buffer {
  const out = Buffer.alloc(dropHeaderBytes);
  out[0] = dropVersion;
  out.write(valueId, 1, 8, "hex");
  out.writeBigUInt64BE(BigInt(createdAt), 9);
  return out;
}

function encodePayload({ scope, name }: DropPlace, header: Uint8Array, frame: Uint8Array): Uint8Array {
  return encodeParts([protocol, scope, name, header, frame]);
}

function addressOf({ scope, name }: DropPlace): string {
  return `${scope}/${name}`;
}

function integrityError(place: DropPlace, what: string): SealtreeError {
  return new SealtreeError("E_RECORD_INTEGRITY", `the drop of ${addressOf(place)} does not open here: ${what}`, {
    hints: ["ask its writer to set it again, or take the line from an earlier commit: git log -p"],
  });
}
