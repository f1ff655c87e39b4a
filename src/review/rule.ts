import type { Finding } from "../store/finding.ts";
import type { ReviewedScope } from "./reviewed-scope.ts";
import type { ReviewState, ScopeSummary } from "./state.ts";

/** One check. It needs no key, reads nothing by itself, and prints no content of a file. */
export interface Rule {
  /** Name of its findings and of its heading in docs/checks.md. */
  readonly name: string;
  /** What it looks for, in one sentence. */
  readonly describe: string;
  /** The command that mends what it finds and takes a key. */
  readonly mendedBy?: string;
  /** Findings of one scope, which is read, checked and let go. */
  checkScope?(scope: ReviewedScope, state: ReviewState): readonly Finding[];
  /** Findings of the tree as a whole, when all scopes are read; `scopes` is what is kept of them. */
  checkTree?(state: ReviewState, scopes: readonly ScopeSummary[]): readonly Finding[];
}
