import type { Environment } from "../git/place.ts";
import type { RandomSource } from "../crypto/random.ts";
import { Secret } from "../secret/secret.ts";
import type { ServiceAccess } from "../services/service-access.ts";

/** What reading a service needs of the world. */
export interface MigrationWorld {
  readonly env: Environment;
  readonly random: RandomSource;
  now(): Date;
}

const callTimeoutMs = 30_000;

/** Access to a service whose credentials are in the environment, where its own program looks for them. */
export function createEnvironmentAccess(world: MigrationWorld): ServiceAccess {
  return {
    read(reference) {
      if (reference.kind === "environment") return Secret.text(world.env[reference.name] ?? "");
      throw new Error("a source is opened with variables of the environment alone");
    },
    random: world.random,
    now: () => world.now(),
    timeoutMs: callTimeoutMs,
  };
}
