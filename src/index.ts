/** The library. What is exported here is kept stable; docs/library.md is its manual. */
export { errorCatalogue, exitCodes, isSealtreeError, SealtreeError, type ErrorCode } from "./errors.ts";
export { getSecret, getSecrets, resolve } from "./runtime/default-repository.ts";
export { openRepository } from "./runtime/open-repository.ts";
export type {
  CacheOptions,
  Health,
  LatencySummary,
  Metrics,
  OpenOptions,
  ReadResult,
  Repository,
  RotationListener,
  Secret,
  SourceHealth,
  SourceMetrics,
} from "./runtime/repository.ts";
