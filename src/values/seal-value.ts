import {
  checkPostQuantum,
  currentGeneration,
  generationChange,
  mintGeneration,
  requireReaders,
} from "../access/generations.ts";
import { isAllowed } from "../access/permission.ts";
import type { Member, Policy } from "../access/policy.ts";
import type { Session } from "../access/session.ts";
import { sealRecord, type RecordPurpose } from "../crypto/record.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import type { Keyring } from "../store/keyring.ts";
import type { OpenGeneration } from "../store/open-generation.ts";
import type { FileChange } from "../store/write.ts";
import type { OpenScope } from "./open-scope.ts";

/** How a member seals: as a record, or, where the member may not read, as a drop. */
export type Sealing = "record" | "drop";

/** What anybody can read of a sealed value. */
export interface ValueOrigin {
  readonly valueId: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
}

/** Seals values of one scope. */
export interface ValueSealer {
  seal(name: SecretName, origin: ValueOrigin, secret: Secret): Promise<string>;
  /** Generation files that sealing made, to be written before the records. */
  readonly files: readonly FileChange[];
}

/** Seals records, which can also be for the journal of a rotation. */
export interface RecordSealer extends ValueSealer {
  seal(name: SecretName, origin: ValueOrigin, secret: Secret, purpose?: RecordPurpose): Promise<string>;
}

/** How `member` seals in a scope. A key of the scope is for readers, also one that is yet to be made. */
export function sealingOf(policy: Policy, member: Member | undefined, scope: ScopePath): Sealing {
  return member === undefined || isAllowed(policy, member, "read", scope) ? "record" : "drop";
}

/**
 * Seals records under the current generation of a scope, and makes one when no present one is
 * fit. Sealing throws what opening and making a generation throws.
 */
export function recordSealer(session: Session, policy: Policy, keyring: Keyring, open: OpenScope): RecordSealer {
  const { scope } = open;
  const files: FileChange[] = [];
  let generation: OpenGeneration | undefined;
  const fitGeneration = async () => {
    const current = currentGeneration(policy, scope, keyring);
    if (current !== undefined) return await open.generation(current.id);
    const minted = await mintGeneration(session, policy, scope, keyring);
    files.push(generationChange(scope, minted.file));
    return minted.opened;
  };
  return {
    files,
    async seal(name, origin, secret, purpose = "value") {
      generation ??= await fitGeneration();
      const header = { generation: generation.id, ...origin };
      return sealRecord(generation.dek, { scope, name, purpose }, header, secret, session.random);
    },
  };
}

/**
 * Seals drops to the present readers of a scope. Takes no keyring, so it works also before the
 * scope has one. Sealing throws E_NO_READERS, E_RECIPIENTS_MIXED, E_VALUE_TOO_LARGE.
 */
export function dropSealer(session: Session, policy: Policy, scope: ScopePath): ValueSealer {
  return {
    files: [],
    async seal(name, origin, secret) {
      const { sealDrop } = await import("../crypto/drop.ts");
      const readers = requireReaders(policy, scope);
      checkPostQuantum(policy, scope, readers);
      const recipients = readers.map(({ recipient }) => recipient);
      const plugins = () => session.plugins();
      return await sealDrop({ recipients, mixing: "allowed", plugins }, { scope, name }, origin, secret);
    },
  };
}
