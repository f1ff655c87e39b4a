import type { Finding } from "../store/finding.ts";
import type { ReviewState } from "./state.ts";

/** One check. It needs no key, reads nothing by itself, and prints no content of a file. */
export interface Rule {
  /** Name of its findings and of its heading in docs/checks.md. */
  readonly name: string;
  /** What it looks for, in one sentence. */
  readonly describe: string;
  check(state: ReviewState): readonly Finding[];
}
