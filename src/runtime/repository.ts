/** How a repository is opened. Everything may be left out. */
export interface OpenOptions {
  /** Where the repository is looked for, here and above. The current directory. */
  readonly directory?: string;
  /**
   * An environment of `policies/deploy.yaml`, which says where values are read from. SEALTREE_ENVIRONMENT;
   * without both, the sealed values of the repository.
   */
  readonly environment?: string;
  /**
   * A commit, a branch or a tag: the sealed values as they were there, and nothing else, whatever the
   * environment says and whatever variables are set.
   */
  readonly at?: string;
  /** Identities to read with, in place of the user's own: the text of an identity, or the path of its file. */
  readonly identities?: readonly ({ readonly text: string } | { readonly file: string })[];
  /** How values are kept, in place of what the environment says. Times are in milliseconds. */
  readonly cache?: CacheOptions;
  /** How long one call of a source over the network may take, in milliseconds. 5000. */
  readonly timeoutMs?: number;
  /** False puts no reads of the repository into the user's audit log. */
  readonly audit?: boolean;
  /** The variables of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface CacheOptions {
  /** How long a value is handed out again without a look at its source; 0 keeps none. 60 s without an environment. */
  readonly ttlMs?: number;
  /** How long beyond that it may be handed out while its source fails; 0 for not at all. One hour. */
  readonly staleMs?: number;
  /** Values that are kept at most. 10,000. */
  readonly maxEntries?: number;
  /** How often the secrets of `onRotated` are looked at. As `ttlMs`, and one minute without a cache. */
  readonly watchMs?: number;
}

/**
 * A secret that was read. In a template, in JSON, in a log or in an error it is `[redacted]`; `revealText`
 * and `revealBytes` are its only ways out. Call them where the value is used, and keep the secret, not
 * the text. This lowers accidents; it is no cryptography, and JavaScript cannot wipe memory.
 */
export interface Secret {
  /** `scope/NAME`. */
  readonly address: string;
  /** The source that gave it, such as `repo` or `environment`. */
  readonly source: string;
  /** Which value it is, 16 hex digits; undefined where the source does not say. No secret. */
  readonly valueId: string | undefined;
  /** Whether the value is meant as text or as bytes. */
  readonly kind: "text" | "binary";
  /** The value as a string. Throws E_VALUE_UNFIT when its bytes are no text. */
  revealText(): string;
  /** A copy of the value's bytes, exactly as they were set. */
  revealBytes(): Uint8Array;
  /** `[redacted]`, as in a template. */
  toString(): string;
  /** `[redacted]`, as in JSON. */
  toJSON(): string;
}

/** Told of a secret that has another value now; it gets the address, and reads the value itself. */
export type RotationListener = (address: string) => unknown;

/** How one source does. `unused`: nobody asked it yet. */
export interface SourceHealth {
  readonly name: string;
  readonly status: "ok" | "failing" | "unused";
  /** The code of the last failure, while it fails. */
  readonly code: string | undefined;
  /** What the last failure was, in words without a value, while it fails. */
  readonly message: string | undefined;
  /** Failures since it last answered. */
  readonly failuresInARow: number;
  /** Milliseconds since it last answered; undefined when it never did. */
  readonly answeredAgoMs: number | undefined;
}

/** How a repository does, from what it saw: nobody is asked. Holds no value. */
export interface Health {
  /**
   * `ok`; `degraded`: a source fails, or a value is handed out beyond its time, and there are reads that are
   * answered; `failing`: none of the sources that were asked answers, and no value is kept.
   */
  readonly status: "ok" | "degraded" | "failing";
  readonly environment: string | undefined;
  /** In the order of their precedence. */
  readonly sources: readonly SourceHealth[];
  /** Values that are handed out beyond their time, for want of a source that answers. */
  readonly staleEntries: number;
}

/** How long something took, over all the times it was done. */
export interface LatencySummary {
  readonly count: number;
  readonly sumMs: number;
  /** The upper bound of the bucket that half, 95 % and 99 % of the times are within; 0 without any. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** How many took `leMs` milliseconds at most; the buckets include one another. */
  readonly buckets: readonly { readonly leMs: number; readonly count: number }[];
}

/** How a read was answered: by the cache, by a source, by a value beyond its time for want of a source, or not at all. */
export type ReadResult = "hit" | "miss" | "stale" | "error";

/** What one source was asked for. */
export interface SourceMetrics {
  readonly name: string;
  /** Calls; one may be for many secrets. */
  readonly reads: number;
  readonly failures: number;
  readonly latency: LatencySummary;
}

/** What a repository did since it was opened. Plain data, without a name or a value of a secret. */
export interface Metrics {
  /** Calls of `getSecret`, and each reference of `resolve`. */
  readonly reads: number;
  readonly results: Readonly<Record<ReadResult, number>>;
  /** The share of reads that nobody had to be asked for, 0 to 1; 0 without any. */
  readonly hitRate: number;
  /** Values that are kept now. */
  readonly entries: number;
  readonly evictions: number;
  /** New values that were seen. */
  readonly rotations: number;
  /** Listeners of `onRotated` that threw. */
  readonly listenerFailures: number;
  /** How long reads took that the cache answered, and the others. */
  readonly cachedLatency: LatencySummary;
  readonly uncachedLatency: LatencySummary;
  readonly sources: readonly SourceMetrics[];
}

/**
 * Secrets of one repository, for a program that runs. Every failure is a SealtreeError with a code, and
 * none of them holds a value. An address is `scope/NAME`.
 */
export interface Repository {
  /** Throws E_SECRET_NOT_FOUND, E_NO_ACCESS, E_ADDRESS_INVALID, and what a source failed with. */
  getSecret(address: string): Promise<Secret>;
  /**
   * All secrets of a scope, by name, as the repository lists them; those that no source of the environment
   * takes are left out. Throws E_SCOPE_NOT_FOUND, and as {@link Repository.getSecret} does.
   */
  getSecrets(scope: string): Promise<ReadonlyMap<string, Secret>>;
  /**
   * A copy of `config` with the texts of secrets in place of every `${secret:scope/NAME}`. From here on the
   * values are plain: hand the copy to what uses it, and log the one with references. Throws one
   * E_REFERENCE_MISSING for all that are missing.
   */
  resolve<T>(config: T): Promise<T>;
  /**
   * Calls `listener` with the address when another value is seen there, by a read or by a look on a timer.
   * Gives what ends that. The timer keeps no process alive.
   */
  onRotated(address: string, listener: RotationListener): () => void;
  /** Reads all that is kept or watched anew. Gives the addresses that have another value than before. */
  refresh(): Promise<readonly string[]>;
  /** Forgets one address, or everything: the next read asks the sources. */
  invalidate(address?: string): void;
  health(): Health;
  metrics(): Metrics;
  /** {@link Repository.metrics} in the text format of Prometheus. */
  metricsText(): string;
  /** Forgets all values and ends what is open. */
  close(): Promise<void>;
}
