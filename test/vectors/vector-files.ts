import { dropVectors } from "./drop-vectors.ts";
import { base64urlVectors, padVectors, paeVectors } from "./encoding-vectors.ts";
import { generationFileVectors } from "./generation-file-vectors.ts";
import { fingerprintVectors, generationVectors } from "./generation-vectors.ts";
import { openVectors } from "./open-vectors.ts";
import { scopeFileVectors } from "./scope-file-vectors.ts";
import { sealVectors } from "./seal-vectors.ts";
import { sqlRowVectors } from "./sql-row-vectors.ts";
import { printVectorFile } from "./vector.ts";

/** Every vector file's name and text, made from fixed bytes only: the same each time. */
export function makeVectorFiles(): ReadonlyMap<string, string> {
  return new Map([
    ["pae.json", printVectorFile("PAE: parts to their encoding", paeVectors())],
    ["pad.json", printVectorFile("frame length to padded length", padVectors())],
    ["base64url.json", printVectorFile("strict base64url without padding", base64urlVectors())],
    ["fingerprint.json", printVectorFile("recipient text to fingerprint", fingerprintVectors())],
    ["generation.json", printVectorFile("generation names, reader hashes and payloads", generationVectors())],
    ["generation-file.json", printVectorFile("keyring files, opened with an age identity", generationFileVectors())],
    ["scope-file.json", printVectorFile("scope files, read without a key", scopeFileVectors())],
    ["seal.json", printVectorFile("values sealed with fixed random bytes, which must also open", sealVectors())],
    ["drop.json", printVectorFile("drops to open with an age identity, most of them wrong in one way", dropVectors())],
    ["sql-row.json", printVectorFile("rows of a table, read as a program that runs reads them", sqlRowVectors())],
    ["open.json", printVectorFile("records to open, most of them wrong in one way", openVectors())],
  ]);
}
