import { compareText } from "../secret/text-order.ts";
import type { ReaderList } from "../crypto/generation.ts";
import { SealtreeError } from "../errors.ts";
import { isScopePath, type ScopePath } from "../secret/address.ts";
import { generationPath } from "./layout.ts";
import { parseScalar, printScalar } from "./yaml-scalar.ts";

/** One generation of a scope's keyring, as its file says without any key. */
export interface GenerationFile {
  readonly id: string;
  readonly previous: string | undefined;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** Who could read it when it was made; never edited. */
  readonly mintedFor: ReaderList;
  /** Who can open this copy now; the order of the stanzas. */
  readonly wrappedFor: ReaderList;
  /** Armored age file that holds the key. */
  readonly armored: string;
}

/** Largest generation file, in bytes. */
const maxGenerationFileBytes = 1024 * 1024;

const armorBegin = "-----BEGIN AGE ENCRYPTED FILE-----";
const armorEnd = "-----END AGE ENCRYPTED FILE-----";
const fingerprint = /^[0-9a-f]{16}$/;
const memberName = /^[a-z][a-z0-9_-]{0,62}$/;

/**
 * Reads a generation file. It must be written exactly as {@link printGenerationFile} writes
 * it. Throws E_KEYRING_MALFORMED with the file, never with its content.
 */
export function parseGenerationFile(bytes: Uint8Array, scope: ScopePath, id: string): GenerationFile {
  const path = generationPath(scope, id);
  const malformed = (what: string) =>
    new SealtreeError("E_KEYRING_MALFORMED", `${path}: ${what}`, {
      file: path,
      hints: [`restore it: git log -- ${path}, then git checkout COMMIT -- ${path}`],
    });
  if (bytes.length > maxGenerationFileBytes) throw malformed("the file is larger than 1 MiB");
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const lines = text.split("\n");
  const field = (index: number, key: string) => {
    const line = lines[index] ?? "";
    if (!line.startsWith(`${key}: `)) throw malformed(`line ${index + 1} is not ${key}`);
    return line.slice(key.length + 2);
  };
  if (field(0, "$sealtree") !== "1") throw malformed("the version is not 1");
  const sealedFor = parseScalar(field(1, "$scope"));
  if (sealedFor !== scope) {
    const isMoved = sealedFor !== undefined && isScopePath(sealedFor);
    throw malformed(isMoved ? `sealed for ${sealedFor}, found at ${scope}` : `line 2 is not $scope: ${scope}`);
  }
  const generation = parseScalar(field(2, "generation"));
  if (generation !== id) {
    const isMoved = generation !== undefined && /^[0-9a-f]{32}$/.test(generation);
    throw malformed(isMoved ? `it is generation ${generation}, found as ${id}` : "line 3 is not a generation");
  }
  const previous = parseScalar(field(3, "previous"));
  if (previous === undefined || !/^(?:none|[0-9a-f]{32})$/.test(previous))
    throw malformed("line 4 is not a generation");
  const mintedFor = parseReaderList(field(5, "minted_for"));
  const wrappedFor = parseReaderList(field(6, "wrapped_for"));
  if (mintedFor === undefined || wrappedFor === undefined) throw malformed("a list of readers is malformed");
  const file: GenerationFile = {
    id,
    previous: previous === "none" ? undefined : previous,
    createdAt: Date.parse(field(4, "created")) / 1000,
    mintedFor,
    wrappedFor,
    armored: `${lines
      .slice(8, -1)
      .map((line) => line.slice(2))
      .join("\n")}\n`,
  };
  if (!Number.isSafeInteger(file.createdAt) || file.createdAt < 0) throw malformed("line 5 is not a time");
  if (!file.armored.startsWith(`${armorBegin}\n`) || !file.armored.endsWith(`\n${armorEnd}\n`)) {
    throw malformed("the key is not an armored age file");
  }
  if (printGenerationFile(scope, file) !== text) throw malformed("it is not written as sealtree writes it");
  return file;
}

/** The one way a generation file is written. */
export function printGenerationFile(scope: ScopePath, file: GenerationFile): string {
  const armor = file.armored.trimEnd().split("\n");
  return [
    "$sealtree: 1",
    `$scope: ${printScalar(scope)}`,
    `generation: ${printScalar(file.id)}`,
    `previous: ${file.previous === undefined ? "none" : printScalar(file.previous)}`,
    `created: ${new Date(file.createdAt * 1000).toISOString().replace(".000Z", "Z")}`,
    `minted_for: ${printReaderList(file.mintedFor)}`,
    `wrapped_for: ${printReaderList(file.wrappedFor)}`,
    "key: |",
    ...armor.map((line) => `  ${line}`),
    "",
  ].join("\n");
}

/** True for a name that a member may have. */
export function isMemberName(text: string): boolean {
  return memberName.test(text);
}

/** How many recipients a list has: the number of stanzas in its age file. */
export function countFingerprints(readers: ReaderList): number {
  return [...readers.values()].reduce((total, prints) => total + prints.length, 0);
}

function printReaderList(readers: ReaderList): string {
  const members = [...readers].sort(([a], [b]) => compareText(a, b));
  const items = members.map(
    ([name, prints]) => `${printScalar(name)}: [${[...prints].sort(compareText).map(printScalar).join(", ")}]`,
  );
  return `{${items.join(", ")}}`;
}

function parseReaderList(written: string): ReaderList | undefined {
  if (!written.startsWith("{") || !written.endsWith("]}")) return undefined;
  const readers = new Map<string, string[]>();
  for (const item of written.slice(1, -2).split("], ")) {
    const [, writtenName = "", list = ""] = /^("?[a-z0-9_-]+"?): \[(.+)$/.exec(item) ?? [];
    const name = parseScalar(writtenName);
    const prints = list.split(", ").map(parseScalar);
    if (name === undefined || !isMemberName(name) || readers.has(name)) return undefined;
    if (!prints.every((print) => print !== undefined && fingerprint.test(print))) return undefined;
    readers.set(
      name,
      prints.filter((print) => print !== undefined),
    );
  }
  const all = [...readers.values()].flat();
  return new Set(all).size === all.length ? readers : undefined;
}
