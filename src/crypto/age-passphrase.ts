import { randomBytes, scrypt, type ScryptOptions } from "node:crypto";
import { promisify } from "node:util";
import { SealtreeError } from "../errors.ts";
import { printArmor } from "./age-armor.ts";
import { parseBase64, printBase64 } from "./age-base64.ts";
import { fileKeyBytes, openAgeFile, parseAgeFile, sealAgeFile } from "./age-file.ts";
import type { Stanza } from "./age-header.ts";
import { openChunk, sealChunk } from "./age-stream.ts";

const type = "scrypt";
const label = "age-encryption.org/v1/scrypt";
const saltBytes = 16;
const tagBytes = 16;
const nonce = Buffer.alloc(12);
/** As age has it: what is made takes about a second, what is read at most sixteen times that. */
const sealWorkFactor = 18;
const maxWorkFactor = 22;
const blockSize = 8;
/** What scrypt takes besides its blocks. */
const spareBytes = 2 ** 20;

/**
 * The plaintext of an armored or binary file of at most `maxBytes` that is for a passphrase
 * (C2SP age.md, "The scrypt recipient type"); undefined when it is for another one, or for
 * none. Throws E_AGE_MALFORMED, also for a work factor above 2^22, which would take minutes
 * and gigabytes.
 */
export async function openWithPassphrase(
  file: string | Uint8Array,
  passphrase: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const parsed = parseAgeFile(file, maxBytes);
  const stanza = parsed.header.stanzas.find(({ args }) => args[0] === type);
  if (stanza === undefined) return undefined;
  const { salt, workFactor, body } = parseStanza(stanza);
  const fileKey = openChunk(await wrapKey(passphrase, salt, workFactor), nonce, body);
  return fileKey === undefined ? undefined : openAgeFile(parsed, fileKey);
}

/** True when a well-formed file is for a passphrase. Throws E_AGE_MALFORMED, as {@link openWithPassphrase} does. */
export function isForPassphrase(file: string | Uint8Array, maxBytes: number): boolean {
  const stanza = parseAgeFile(file, maxBytes).header.stanzas.find(({ args }) => args[0] === type);
  if (stanza !== undefined) parseStanza(stanza);
  return stanza !== undefined;
}

/** An armored age file of `plaintext` for a passphrase, which is not empty; it takes about a second. */
export async function sealWithPassphrase(
  plaintext: Uint8Array,
  passphrase: string,
  workFactor = sealWorkFactor,
): Promise<string> {
  const salt = randomBytes(saltBytes);
  const fileKey = randomBytes(fileKeyBytes);
  const body = sealChunk(await wrapKey(passphrase, salt, workFactor), nonce, fileKey);
  const stanza = { args: [type, printBase64(salt, "bare"), String(workFactor)], body };
  return printArmor(sealAgeFile([stanza], fileKey, plaintext));
}

function parseStanza({ args, body }: Stanza) {
  const [, saltText = "", factorText = "", ...more] = args;
  const salt = parseBase64(saltText, "bare");
  if (
    more.length > 0 ||
    salt?.length !== saltBytes ||
    !/^[1-9][0-9]*$/.test(factorText) ||
    body.length !== fileKeyBytes + tagBytes
  ) {
    throw new SealtreeError("E_AGE_MALFORMED", "the passphrase stanza of the age file is malformed");
  }
  const workFactor = Number(factorText);
  if (workFactor > maxWorkFactor) {
    throw new SealtreeError("E_AGE_MALFORMED", `the work factor of the age file is above ${maxWorkFactor}`);
  }
  return { salt, workFactor, body };
}

async function wrapKey(passphrase: string, salt: Uint8Array, workFactor: number): Promise<Uint8Array> {
  const cost = 2 ** workFactor;
  const maxmem = 128 * blockSize * cost + spareBytes;
  const labelled = Buffer.concat([Buffer.from(label), salt]);
  try {
    return await promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scrypt)(passphrase, labelled, 32, {
      N: cost,
      r: blockSize,
      p: 1,
      maxmem,
    });
  } catch (error) {
    throw new SealtreeError("E_IO", "there is not enough memory for the work factor of the passphrase", {
      hints: [`it takes ${Math.ceil(maxmem / 2 ** 20)} MB`],
      cause: error,
    });
  }
}
