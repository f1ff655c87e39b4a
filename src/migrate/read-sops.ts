import { createHash, type Hash } from "node:crypto";
import type { Identity } from "../crypto/identity.ts";
import { SealtreeError } from "../errors.ts";
import { Secret } from "../secret/secret.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import { iniDefault } from "./ini-tree.ts";
import type { SopsFile } from "./sops-file.ts";
import { openDataKey } from "./sops-key.ts";
import type { SopsMetadata } from "./sops-metadata.ts";
import { compileSelection, type IsSealed } from "./sops-selection.ts";
import { authenticatedText, isSopsCiphertext, openSopsText, openSopsValue } from "./sops-value.ts";
import type { SourceBranch, SourceLeaf, SourceType } from "./source-tree.ts";
import {
  type LeftOut,
  printSourcePath,
  type SourceComment,
  type SourceContents,
  type SourcePath,
  type SourceValue,
} from "./source-values.ts";

/** What comes before the values in the code of a file that authenticates only what it seals: SHA-256 of `sops`. */
const sealedOnlyStart = createHash("sha256").update("sops").digest();

/**
 * Everything in a SOPS file, opened with `identities`. Nothing is given out before the file's
 * authentication code was checked over all values. Values of a binary file go by `fileName`.
 * Throws E_NO_ACCESS, E_SOURCE_INTEGRITY for a file that was changed without its key, and E_INPUT_INVALID.
 */
export async function readSops(
  file: SopsFile,
  identities: readonly Identity[],
  fileName: string,
): Promise<SourceContents> {
  const reader = new SopsReader(file, await openDataKey(file.metadata, identities));
  for (const branch of file.branches) reader.branch(branch, { keys: [], path: [], levels: [] });
  reader.checkCode();
  if (file.format !== "binary") return { values: reader.values, leftOut: reader.leftOut };
  return { values: reader.values.map((value) => ({ ...value, path: [fileName] })), leftOut: reader.leftOut };
}

/** Where the reader stands. */
interface Place {
  /** Keys of maps, which a value is sealed for. */
  readonly keys: readonly string[];
  readonly path: SourcePath;
  /** Comments as they stand in the file, a list for each level. */
  readonly levels: readonly (readonly string[])[];
}

class SopsReader {
  readonly values: SourceValue[] = [];
  readonly leftOut: LeftOut[] = [];
  readonly #metadata: SopsMetadata;
  readonly #format: SopsFile["format"];
  readonly #dataKey: Uint8Array;
  readonly #isSealed: IsSealed;
  readonly #code: Hash;
  /** Comments that wait for the value below them. */
  #pending: SourceComment[] = [];

  constructor({ metadata, format }: SopsFile, dataKey: Uint8Array) {
    this.#metadata = metadata;
    this.#format = format;
    this.#dataKey = dataKey;
    this.#isSealed = compileSelection(metadata.selection);
    this.#code = createHash("sha512");
    if (metadata.macOnlyEncrypted) this.#code.update(sealedOnlyStart);
  }

  branch(branch: SourceBranch, { keys, path, levels }: Place): void {
    let above: string[] = [];
    let index = 0;
    for (const item of branch.items) {
      above = [...above, ...item.comments];
      this.#takeComments(item.comments, keys);
      const isList = branch.kind === "list";
      const place: Place = {
        keys: isList ? keys : [...keys, item.key],
        path: isList ? [...path, index] : this.#pathOf(path, item.key),
        levels: [...levels, above],
      };
      if (item.value.kind === "leaf") {
        if (this.#leaf(item.value, place) === "comment") {
          above = [...above, item.value.text];
          continue;
        }
      } else {
        if (item.value.items.length === 0 && !this.#isIniTop(path, item.key))
          this.leftOut.push({ path: place.path, reason: `an empty ${item.value.kind}` });
        this.branch(item.value, place);
      }
      above = [];
      index += 1;
    }
    this.#takeComments(branch.trailing, keys);
    this.#dropPending(path);
  }

  /** Throws E_SOURCE_INTEGRITY unless the values are those the file was written with. */
  checkCode(): void {
    const { mac, lastModified } = this.#metadata;
    const opened = openSopsText(mac, this.#dataKey, lastModified);
    const computed = this.#code.digest("hex").toUpperCase();
    if (opened?.bytes.toString("latin1") === computed) return;
    throw new SealtreeError("E_SOURCE_INTEGRITY", "the SOPS file's authentication code does not fit its values", {
      hints: ["somebody changed the file without sops; look at its history, and mend it with sops before you import"],
    });
  }

  #leaf(leaf: SourceLeaf, place: Place): "comment" | "value" {
    const { keys, path, levels } = place;
    if (leaf.type === "null") {
      const reason =
        this.#pending.length === 0 ? "null, which is no value" : "null, which is no value, and its comments";
      this.leftOut.push({ path, reason });
      this.#pending = [];
      return "value";
    }
    if (!this.#isSealed({ keys, comments: levels })) {
      if (!this.#metadata.macOnlyEncrypted) this.#code.update(authenticatedText(leaf.type, leaf.text));
      const secret =
        leaf.type === "binary" ? Secret.fromBytes(Buffer.from(leaf.text, "base64")) : Secret.text(leaf.text);
      this.#add(path, leaf.type, secret, true);
      return "value";
    }
    const opened = leaf.type === "text" ? openSopsValue(leaf.text, this.#dataKey, keys) : undefined;
    if (opened === undefined) {
      throw new SealtreeError(
        "E_SOURCE_INTEGRITY",
        `${printSourcePath(path)} is not sealed for its place in the SOPS file`,
        {
          hints: [
            "somebody changed the file without sops; look at its history, and mend it with sops before you import",
          ],
        },
      );
    }
    if (opened.type === "comment") {
      this.#pending.push(...linesOf(opened.bytes.toString("utf8")).map((text) => ({ text, isPrivate: true })));
      return "comment";
    }
    this.#code.update(opened.authenticated);
    const bytes = opened.type === "boolean" ? Buffer.from(opened.bytes.toString("latin1").toLowerCase()) : opened.bytes;
    this.#add(path, opened.type, Secret.fromBytes(bytes), leaf.text === "");
    return "value";
  }

  #add(path: SourcePath, type: SourceType, secret: Secret, isOpen: boolean): void {
    this.values.push({
      path,
      secret,
      type: secret.kind === "binary" ? "binary" : type,
      isOpen,
      comments: this.#pending,
    });
    this.#pending = [];
  }

  #takeComments(lines: readonly string[], keys: readonly string[]): void {
    for (const line of lines) this.#pending.push(...this.#openComment(line, keys));
  }

  /** A sealed comment is sealed for the map it stands in, or one around it: editors move them. */
  #openComment(line: string, keys: readonly string[]): SourceComment[] {
    if (!isSopsCiphertext(line)) return [{ text: line, isPrivate: false }];
    for (let length = keys.length; length >= 0; length -= 1) {
      const opened = openSopsValue(line, this.#dataKey, keys.slice(0, length));
      const text = opened?.type === "comment" ? decodeUtf8(opened.bytes) : undefined;
      if (text !== undefined) return linesOf(text).map((it) => ({ text: it, isPrivate: true }));
    }
    return [{ text: line, isPrivate: true }];
  }

  #dropPending(path: SourcePath): void {
    if (this.#pending.length === 0) return;
    const amount = this.#pending.length;
    this.leftOut.push({
      path,
      reason: amount === 1 ? "a comment with no value below it" : `${amount} comments with no value below them`,
    });
    this.#pending = [];
  }

  /** Keys above every section of an INI file have no section in their name. */
  #pathOf(path: SourcePath, key: string): SourcePath {
    return this.#isIniTop(path, key) ? path : [...path, key];
  }

  #isIniTop(path: SourcePath, key: string): boolean {
    return this.#format === "ini" && path.length === 0 && key === iniDefault;
  }
}

/** Several lines of an INI file are one comment, whose later lines keep their sign. */
function linesOf(comment: string): string[] {
  const [first = "", ...rest] = comment.split("\n");
  return [first, ...rest.map((line) => line.replace(/^[;#] ?/, ""))];
}
