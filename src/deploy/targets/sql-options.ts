import { z } from "zod";
import { isSealtreeError } from "../../errors.ts";
import { maxValueBytes } from "../../crypto/frame.ts";
import { findRecipient, parseRecipient } from "../../crypto/parse-recipient.ts";
import { isPostQuantum } from "../../crypto/recipient.ts";
import { ProviderFailure } from "../../net/provider-failure.ts";
import type { Secret } from "../../secret/secret.ts";
import { secretReference, type SecretReference } from "../../services/secret-reference.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import type { RowLock, SqlOwner } from "../../services/sql-row.ts";
import { parseRowKey } from "../../services/sql-row-key.ts";
import type { TargetFacts } from "./target.ts";

/** Any text that a person can tell from another by looking at it, and that every database keeps as it is. */
const plainText = z.string().regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,200}$/u, {
  error: "an owner is 1 to 200 characters, none of them a control character",
});

const recipient = z.string().refine((text) => !["plugin", undefined].includes(findRecipient(text)?.kind), {
  error: "a recipient is age1..., age1pq1..., ssh-ed25519 or ssh-rsa",
});

/** A number of commits is far below: see {@link sequenceOf}. */
const epochSize = 2 ** 40;

/** Options that both kinds of table have. */
export const sqlOptions = {
  /** Whose values these are, such as `service` and `billing`. */
  owner_type: plainText,
  owner_id: plainText,
  /** Who can open the rows. */
  recipients: z.array(recipient).min(1).max(64).exactOptional(),
  /** In their place a key of 32 bytes. */
  key: secretReference.exactOptional(),
  /** 32 bytes that writers and readers share, so that nobody else makes rows. */
  integrity_key: secretReference.exactOptional(),
  /** To be raised by one when the history of the branch was rewritten. */
  epoch: z.int().min(0).max(4095).default(0),
};

export interface SqlOptions {
  readonly owner_type: string;
  readonly owner_id: string;
  readonly recipients?: readonly string[];
  readonly key?: SecretReference;
  readonly integrity_key?: SecretReference;
  readonly epoch: number;
}

/** Adds an issue for each thing that does not go together. */
export function checkSqlOptions(options: SqlOptions, context: z.core.$RefinementCtx): void {
  const issue = (message: string) => context.addIssue({ code: "custom", message });
  if ((options.recipients === undefined) === (options.key === undefined)) {
    issue("give recipients, or key, a reference to 32 bytes");
  }
  const found = (options.recipients ?? []).map((text) => findRecipient(text)).filter((it) => it !== undefined);
  if (new Set(found.map(isPostQuantum)).size > 1) issue("post-quantum and classic recipients do not go together");
}

export function sqlReferences({ key, integrity_key: integrity }: SqlOptions): SecretReference[] {
  return [key, integrity].filter((reference) => reference !== undefined);
}

export function ownerOf({ owner_type: type, owner_id: id }: SqlOptions): SqlOwner {
  return { type, id };
}

/** Whom rows are sealed to. Throws `auth` for a key that is none. */
export function readLock(options: SqlOptions, access: ServiceAccess): RowLock {
  const read = (reference: SecretReference): Secret => {
    try {
      return parseRowKey(access.read(reference));
    } catch (error) {
      if (!isSealtreeError(error) || error.code !== "E_INPUT_INVALID") throw error;
      throw new ProviderFailure("auth", error.message, { hints: error.hints });
    }
  };
  const integrityKey = options.integrity_key === undefined ? undefined : read(options.integrity_key);
  if (options.key !== undefined) return { readers: { kind: "key", key: read(options.key) }, integrityKey };
  const recipients = (options.recipients ?? []).map(parseRecipient);
  return { readers: { kind: "recipients", recipients }, integrityKey };
}

/** The sequence of a deploy: the number of its commit, after all of earlier epochs. */
export function sequenceOf({ epoch }: SqlOptions, commitNumber: number | undefined): number {
  if (commitNumber === undefined || !Number.isSafeInteger(commitNumber) || commitNumber < 1) {
    throw new ProviderFailure("rejected", "the deploy does not say which commit it is of", {
      hints: ["deploy from a commit, in a clone that has all of the history"],
    });
  }
  return epoch * epochSize + commitNumber;
}

/** What holds at both kinds of table. */
export function sqlFacts({ key }: SqlOptions): TargetFacts {
  return {
    readsBack: key !== undefined,
    keepsMarks: true,
    hasVersions: false,
    comparesAndSwaps: true,
    ordersWriters: true,
    nameRule: {
      pattern: /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,255}$/u,
      says: "1 to 255 characters, none of them a control character",
      maxLength: 255,
      ignoresCase: false,
    },
    maxValueBytes,
    holdsBinary: true,
  };
}
