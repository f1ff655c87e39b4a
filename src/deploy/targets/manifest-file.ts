import { join } from "node:path";
import { isMap, parseDocument, type Document } from "yaml";
import { z } from "zod";
import { isSealtreeError } from "../../errors.ts";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { decodeUtf8 } from "../../secret/utf8.ts";
import { writeFileAtomic } from "../../store/atomic-write.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import { markAnnotation } from "./kubernetes-names.ts";

/** The path of a manifest in the repository. The folders of sealtree and git are none for it. */
export const manifestPath = z
  .string()
  .max(512)
  .regex(
    /^(?!(?:\.git|secrets|policies)\/)(?!.*(?:^|\/)\.{1,2}(?:\/|$))[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*\.ya?ml$/i,
    {
      error: "a manifest is a path in the repository that ends in .yaml, outside of secrets and policies",
    },
  );

export interface ManifestPlace {
  readonly root: string;
  readonly file: string;
  readonly apiVersion: string;
  readonly kind: string;
  /** Permission bits of a new file. */
  readonly mode: number;
}

/** A manifest on disk: what is there, and a way to put another in its place. */
export interface ManifestFile {
  /** The document; a new one with nothing but its kind when there is no file. A copy each time. */
  readonly document: Document;
  readonly isThere: boolean;
  /** Replaces the file, whole or not at all; leaves it alone when it has that text already. */
  save(document: Document): Promise<void>;
}

/** Programs of Kubernetes read YAML 1.1, in which `yes` is a boolean, also as a key. */
const written = { version: "1.2", compat: "yaml-1.1" } as const;
const header = "# Written by sealtree deploy. What it does not know of, it keeps.\n";

/**
 * Reads a manifest. Throws ProviderFailure `rejected` for what sealtree did not write: another kind of
 * object, one without its annotation, or no regular file; and `transient` from `save` when the file
 * has changed since.
 */
export async function loadManifest(place: ManifestPlace): Promise<ManifestFile> {
  const text = await readFile(place);
  return {
    get document() {
      return text === undefined ? newDocument(place) : parse(text, place);
    },
    isThere: text !== undefined,
    async save(document) {
      const printed = document.toString({ lineWidth: 0 });
      if (printed === text) return;
      if ((await readFile(place)) !== text) {
        throw new ProviderFailure("transient", `${place.file} changed since it was looked at`);
      }
      const { root, file, mode } = place;
      await told(() => writeFileAtomic(join(root, file), printed, { mode }));
    },
  };
}

async function readFile({ root, file }: ManifestPlace): Promise<string | undefined> {
  const bytes = await told(async () => await openWorkTree(root).read(file));
  if (bytes === undefined) return undefined;
  return decodeUtf8(bytes) ?? refuse(file, "is no text");
}

/** What goes wrong with a file, in the terms of targets: its messages are ours, and have no content. */
async function told<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    throw new ProviderFailure("rejected", error.message, { hints: error.hints });
  }
}

function newDocument({ apiVersion, kind }: ManifestPlace): Document {
  return parseDocument(`${header}apiVersion: ${apiVersion}\nkind: ${kind}\n`, written);
}

function parse(text: string, { file, apiVersion, kind }: ManifestPlace): Document {
  const document = parseDocument(text, { ...written, uniqueKeys: true, merge: false, prettyErrors: false });
  if (document.errors.length > 0 || !isMap(document.contents)) refuse(file, "is not one document of YAML");
  const isOurKind = document.get("apiVersion") === apiVersion && document.get("kind") === kind;
  if (!isOurKind || typeof document.getIn(["metadata", "annotations", markAnnotation]) !== "string") {
    refuse(file, `is there, and is no ${kind} that sealtree wrote`);
  }
  return document;
}

function refuse(file: string, what: string): never {
  throw new ProviderFailure("rejected", `${file} ${what}`, {
    hints: ["name another file, or move that one away: it is not written over"],
  });
}
