import type { Secret } from "../secret/secret.ts";
import type { SourceType } from "./source-tree.ts";

/** The systems that values can be moved from. */
export const sourceSystems = [
  "dotenv",
  "json",
  "yaml",
  "sops",
  "dotenvx",
  "ejson",
  "vault",
  "aws-secrets-manager",
] as const;
export type SourceSystem = (typeof sourceSystems)[number];

/** Where a value stands in its source: keys of maps, and indexes of lists counted from 0. */
export type SourcePath = readonly (string | number)[];

/** One value of another system, opened. */
export interface SourceValue {
  readonly path: SourcePath;
  readonly secret: Secret;
  readonly type: SourceType;
  /** Comment lines above it, without the comment sign. */
  readonly comments: readonly SourceComment[];
  /** True when the source keeps it in the open. */
  readonly isOpen: boolean;
  /** What a reader of the report has to know of it; a sentence without the value. */
  readonly note?: string;
}

export interface SourceComment {
  readonly text: string;
  /** True when the other system seals it, or keeps it in a file that is private. */
  readonly isPrivate: boolean;
}

/** What is in the source and does not come along. */
export interface LeftOut {
  readonly path: SourcePath;
  /** A few words, without content. */
  readonly reason: string;
}

/** All that a source holds. */
export interface SourceContents {
  readonly values: readonly SourceValue[];
  readonly leftOut: readonly LeftOut[];
}

/** A path for people, such as `db.hosts.0`; the empty path is `(the file)`. */
export function printSourcePath(path: SourcePath): string {
  return path.length === 0 ? "(the file)" : path.join(".");
}
