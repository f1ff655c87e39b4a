import { randomBytes } from "node:crypto";
import { resolve as resolvePath } from "node:path";
import { performance } from "node:perf_hooks";
import { appendAudit } from "../audit/log.ts";
import type { Identity } from "../crypto/identity.ts";
import { usageError } from "../errors.ts";
import { findPlace, type GitPlace } from "../git/place.ts";
import { parseScopePath } from "../secret/address.ts";
import type { AskIdentityToken } from "../services/identity-tokens.ts";
import { hideTokenRequest, type TokenRequest } from "../services/token-request.ts";
import type { EnvironmentPolicy } from "./environment-policy.ts";
import { loadRuntimeIdentities } from "./load-runtime-identities.ts";
import { printMetrics } from "./metrics-text.ts";
import { openSources, openTreeOf, workTree, type SourceWorld } from "./open-sources.ts";
import type { Health, OpenOptions, Repository } from "./repository.ts";
import type { RuntimeSecret } from "./runtime-secret.ts";
import { SecretReader } from "./secret-reader.ts";
import { SourceWatch } from "./source-watch.ts";

/** The time that a repository goes by. */
export interface RuntimeClock {
  /** Milliseconds, of which only differences count. */
  now(): number;
  every(intervalMs: number, work: () => void): () => void;
}

const minuteMs = 60_000;

/**
 * Opens a repository for reading. Opens no value and asks nobody for anything: identities and sources are
 * looked at when a value is first asked for. Throws E_NO_REPOSITORY, E_REVISION_NOT_FOUND,
 * E_POLICY_INVALID, and E_USAGE for an environment that the policy does not have.
 */
export async function openRepository(options: OpenOptions = {}): Promise<Repository> {
  return await openRuntime(options, machineClock);
}

/** {@link openRepository} with a clock of the caller's. */
export async function openRuntime(options: OpenOptions, clock: RuntimeClock): Promise<Repository> {
  // oxlint-disable-next-line node/no-process-env -- a library has no other way to the variables of its program
  const { env, tokenRequest } = hideTokenRequest(options.env ?? process.env);
  checkTimes(options);
  const place = findPlace(resolvePath(options.directory ?? "."), env);
  const environment = options.environment ?? (env["SEALTREE_ENVIRONMENT"] || undefined);
  const world = { ...openWorld(place, options), identityToken: askTokens(tokenRequest, env) };
  const commit = options.at === undefined ? undefined : await findCommit(place, options.at);
  const policy = commit === undefined ? await findPolicy(world, environment) : undefined;
  const providers = await openSources(world, commit ?? policy);
  const sources = providers.map((provider) => new SourceWatch(provider, () => clock.now()));
  // What a commit holds never changes.
  const cacheMs = options.cache?.ttlMs ?? (commit === undefined ? (policy?.cacheMs ?? minuteMs) : Infinity);
  const reader = new SecretReader({
    sources,
    cacheMs,
    staleMs: options.cache?.staleMs ?? 60 * minuteMs,
    retryMs: Math.min(cacheMs, 10_000),
    maxEntries: options.cache?.maxEntries ?? 10_000,
    watchMs: options.cache?.watchMs ?? (cacheMs > 0 && Number.isFinite(cacheMs) ? cacheMs : minuteMs),
    clock: () => clock.now(),
    every: (intervalMs, work) => clock.every(intervalMs, work),
  });
  const get = async (address: string): Promise<RuntimeSecret> => await reader.get(address);

  return {
    getSecret: (address) => reader.get(address),
    async getSecrets(text) {
      const { readScopeSecrets } = await import("./read-scope-secrets.ts");
      return await readScopeSecrets(parseScopePath(text), { openTree: openTreeOf(world, commit), providers, get });
    },
    async resolve(config) {
      const { resolveConfig } = await import("./resolve-config.ts");
      return await resolveConfig(config, get);
    },
    onRotated: (address, listener) => reader.onRotated(address, listener),
    refresh: () => reader.refresh(),
    invalidate: (address) => reader.invalidate(address),
    health: () => describeHealth(environment, sources, reader),
    metrics: () => reader.metrics(),
    metricsText: () => printMetrics(reader.metrics()),
    close: () => reader.close(),
  };
}

const machineClock: RuntimeClock = {
  now: () => performance.now(),
  every(intervalMs, work) {
    const timer = setInterval(work, Math.min(intervalMs, maxTimerMs));
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** A longer timer fires at once. */
const maxTimerMs = 2 ** 31 - 1;

/** A time that is no number would make a value fresh for good. */
function checkTimes({ timeoutMs, cache = {} }: OpenOptions): void {
  for (const [name, value] of Object.entries({ timeoutMs, ...cache })) {
    if (value === undefined || (typeof value === "number" && value >= 0)) continue;
    throw usageError(
      `the option ${name} is not a number of 0 or more`,
      "times are in milliseconds: cache: { ttlMs: 60_000 }",
    );
  }
}

async function findCommit(place: GitPlace, revision: string): Promise<string> {
  const { resolveCommit } = await import("../git/revision.ts");
  return await resolveCommit(place, revision);
}

async function findPolicy(world: SourceWorld, environment: string | undefined): Promise<EnvironmentPolicy | undefined> {
  if (environment === undefined) return undefined;
  const { loadEnvironmentPolicy } = await import("./environment-policy.ts");
  return await loadEnvironmentPolicy(workTree(world), environment);
}

/** Loaded when the first is asked for. */
function askTokens(request: TokenRequest | undefined, env: GitPlace["env"]): AskIdentityToken {
  let tokens: AskIdentityToken | undefined;
  return async (audience) => {
    const { createIdentityTokens } = await import("../services/identity-tokens.ts");
    const isJob = env["GITHUB_ACTIONS"] === "true";
    tokens ??= createIdentityTokens({ request, isJob, now: () => new Date() });
    return await tokens(audience);
  };
}

function openWorld(place: GitPlace, { identities: given, timeoutMs = 5000, audit = true }: OpenOptions): SourceWorld {
  let loading: Promise<readonly Identity[]> | undefined;
  return {
    place,
    timeoutMs,
    // Loaded once; a failure is not kept, so that an identity that comes later is found.
    async identities() {
      const mine = (loading ??= loadRuntimeIdentities(given, place.env));
      try {
        return await mine;
      } catch (error) {
        if (loading === mine) loading = undefined;
        throw error;
      }
    },
    audit: audit ? createAudit(place) : () => undefined,
  };
}

/** Reads of the repository go into the user's audit log, as those of the command do. What cannot be written is said once. */
function createAudit(place: GitPlace): SourceWorld["audit"] {
  const request = randomBytes(8).toString("hex");
  let wasSaid = false;
  const stderr = {
    write(text: string) {
      const isWarning = text.startsWith("sealtree: warning:");
      if (!isWarning || !wasSaid) process.stderr.write(text);
      wasSaid ||= isWarning;
    },
  };
  return (events) => appendAudit({ env: place.env, stderr }, new Date(), events, { repository: place.root, request });
}

function describeHealth(
  environment: string | undefined,
  sources: readonly SourceWatch[],
  reader: SecretReader,
): Health {
  const { staleEntries, usableEntries } = reader;
  const all = sources.map((source) => source.health());
  const used = all.filter(({ status }) => status !== "unused");
  const failing = used.filter(({ status }) => status === "failing");
  const isDown = failing.length > 0 && failing.length === used.length && usableEntries === 0;
  const isPoor = failing.length > 0 || staleEntries > 0;
  return { status: isDown ? "failing" : isPoor ? "degraded" : "ok", environment, sources: all, staleEntries };
}
