import type { ReviewBase } from "./base.ts";

/** The base as it is said in messages. */
export function sayBase({ tree }: ReviewBase): string {
  return `commit ${tree.commit.slice(0, 12)}`;
}

/** The command that takes a file back from the base. */
export function restoreHint({ tree }: ReviewBase, file: string): string {
  return `restore it: git checkout ${tree.commit.slice(0, 12)} -- ${file}`;
}
