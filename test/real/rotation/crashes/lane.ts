import { isDeepStrictEqual } from "node:util";
import type { Scenario } from "./scenarios.ts";
import type { TestServer } from "../../../support/servers/server-process.ts";

/** What a program logs in with, by part name. */
export type Parts = Readonly<Record<string, string>>;

/** One secret at a real server, with users or keys that only this lane touches. */
export interface Lane {
  /** The rule of the secret, as policies/rotation.yaml has it. */
  readonly rule: Readonly<Record<string, unknown>>;
  /** Values that the repository has besides, by address: the other parts, and the administrator's. */
  readonly companions: Readonly<Record<string, string>>;
  /** The credential at the very beginning, as the secret itself holds it. Makes it live. */
  begin(): Promise<string>;
  /** All that the server knows of the credentials of this lane, to be restored: verifiers and keys. */
  save(): Promise<string>;
  restore(saved: string): Promise<void>;
  /** Logs in as a program does. Throws when the server gives no clear answer. */
  isLetIn(parts: Parts): Promise<boolean>;
  /**
   * How many live credentials the server has that are none of `held`. `mayHaveEnded`: a run got so
   * far that it ended one, for servers that cannot tell an ended password from a strange one.
   */
  countStrangers(held: readonly Parts[], mayHaveEnded: boolean): Promise<number>;
}

/** A real server that gives lanes. */
export interface Ground {
  /** Such as `PostgreSQL`. */
  readonly name: string;
  readonly version: string;
  /** What runs of its lanes are cut off in. */
  readonly scenarios: readonly Scenario[];
  /** False where the old credential ends before the new one can be in the repository. */
  readonly hasOverlap: boolean;
  readonly lanes: readonly Lane[];
  readonly stop: TestServer["stop"];
}

/** True when the parts are the same credential. */
export function isSame(a: Parts, b: Parts): boolean {
  return isDeepStrictEqual(a, b);
}
