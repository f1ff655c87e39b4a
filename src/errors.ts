/**
 * Every failure sealtree throws on purpose. A failure has a stable code, and the code
 * decides the exit status; docs/errors.md has a heading for each. A negative answer is
 * returned as data, not thrown, and any other throw is a bug.
 */

/** Exit statuses, an interface scripts may rely on. */
export const exitCodes = {
  ok: 0,
  found: 1,
  usage: 2,
  aborted: 3,
  notFound: 4,
  noAccess: 5,
  integrity: 6,
  conflict: 7,
  rotation: 8,
  provider: 9,
  bug: 70,
} as const;

export type ExitClass = keyof typeof exitCodes;

/** Code to exit class. The only list of codes. */
export const errorCatalogue = {
  E_USAGE: "usage",
  E_VALUE_IN_ARGUMENT: "usage",
  E_SCOPE_INVALID: "usage",
  E_NAME_INVALID: "usage",
  E_ADDRESS_INVALID: "usage",
  E_NEEDS_TERMINAL: "usage",
  E_INPUT_INVALID: "usage",
  E_VALUE_TOO_LARGE: "usage",
  E_VALUE_UNFIT: "usage",
  E_REFERENCE_INVALID: "usage",
  E_REFERENCE_CYCLE: "usage",
  E_NAME_REFUSED: "usage",
  E_NAME_CLASH: "usage",
  E_PLAINTEXT_TRACKED: "usage",
  E_ROLLBACK_REFUSED: "usage",
  E_EDITOR_FAILED: "usage",
  E_IDENTITY_INVALID: "usage",
  E_RECIPIENT_INVALID: "usage",
  E_POLICY_INVALID: "usage",
  E_NO_READERS: "usage",
  E_NO_RECIPIENTS: "usage",
  E_RECIPIENTS_MIXED: "usage",
  E_GIT_IDENTITY: "usage",
  E_NOT_PINNED: "usage",
  E_DEMO_FAILED: "found",
  E_ABORTED: "aborted",
  E_NO_REPOSITORY: "notFound",
  E_NOT_INITIALISED: "notFound",
  E_SCOPE_NOT_FOUND: "notFound",
  E_SECRET_NOT_FOUND: "notFound",
  E_REFERENCE_MISSING: "notFound",
  E_REVISION_NOT_FOUND: "notFound",
  E_VERSION_NOT_FOUND: "notFound",
  E_NO_CONFLICT: "notFound",
  E_MEMBER_NOT_FOUND: "notFound",
  E_FILE_NOT_FOUND: "notFound",
  E_USER_NOT_FOUND: "notFound",
  E_NO_REMOTE: "notFound",
  E_NO_IDENTITY: "noAccess",
  E_NO_ACCESS: "noAccess",
  E_PERMISSION_DENIED: "noAccess",
  E_REFERENCE_REFUSED: "noAccess",
  E_ACTION_REFUSED: "noAccess",
  E_SCOPE_MALFORMED: "integrity",
  E_SCOPE_MOVED: "integrity",
  E_KEYRING_MALFORMED: "integrity",
  E_KEYRING_INTEGRITY: "integrity",
  E_GENERATION_UNKNOWN: "integrity",
  E_RECORD_MALFORMED: "integrity",
  E_RECORD_INTEGRITY: "integrity",
  E_AGE_MALFORMED: "integrity",
  E_SOURCE_INTEGRITY: "integrity",
  E_UNSAFE_FILE: "integrity",
  E_OBJECT_INVALID: "integrity",
  E_ANCHOR_REFUSED: "integrity",
  E_BRANCH_UNTRUSTED: "integrity",
  E_CONFLICT_MARKERS: "conflict",
  E_MERGE_CONFLICT: "conflict",
  E_OPERATION_IN_PROGRESS: "conflict",
  E_LOCKED: "conflict",
  E_RACED: "conflict",
  E_NOT_PUSHED: "conflict",
  E_BASE_UNCLEAR: "conflict",
  E_EXISTS: "conflict",
  E_REMOVED: "conflict",
  E_DEPLOY_REFUSED: "usage",
  E_REQUIRED_MISSING: "notFound",
  E_TARGET_NOT_FOUND: "notFound",
  E_ROTATION_NOT_DONE: "rotation",
  E_ROTATION_IN_FLIGHT: "rotation",
  E_JOURNAL_MALFORMED: "integrity",
  E_JOURNAL_REGRESSED: "integrity",
  E_PUSH_REFUSED: "provider",
  E_PROVIDER: "provider",
  E_PLUGIN_FAILED: "provider",
  E_KEYCHAIN_FAILED: "provider",
  E_IO: "provider",
  E_NETWORK: "provider",
  E_HOOK_FAILED: "provider",
  E_GIT_FAILED: "provider",
} as const satisfies Record<string, ExitClass>;

export type ErrorCode = keyof typeof errorCatalogue;

export interface ErrorContext {
  /** The next command to type, or what to change. One line each. */
  readonly hints?: readonly string[];
  /** File the error is about, relative to the repository root. */
  readonly file?: string;
  /** One-based line in `file`. */
  readonly line?: number;
  readonly cause?: unknown;
}

const brand = Symbol.for("sealtree.error");

/**
 * A failure with a code. The message is lower case, without a full stop, and never holds
 * a value or the content of a file.
 */
export class SealtreeError extends Error {
  readonly code: ErrorCode;
  readonly hints: readonly string[];
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly [brand] = true;

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = "SealtreeError";
    this.code = code;
    this.hints = context.hints ?? [];
    this.file = context.file;
    this.line = context.line;
  }

  /** Process exit status of this failure. */
  get exitCode(): number {
    return exitCodes[errorCatalogue[this.code]];
  }
}

/** E_USAGE: what was asked for cannot be meant so; `hints` say how it is done. */
export function usageError(message: string, ...hints: readonly string[]): SealtreeError {
  return new SealtreeError("E_USAGE", message, { hints });
}

/** True for our own failures, also across two copies of this module in a bundle. */
export function isSealtreeError(error: unknown): error is SealtreeError {
  return typeof error === "object" && error !== null && brand in error;
}

/** The `code` of a system error, such as ENOENT; undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** True when `error` is ours and has one of `codes`. */
export function hasCode(error: unknown, ...codes: ErrorCode[]): error is SealtreeError {
  return isSealtreeError(error) && codes.includes(error.code);
}
