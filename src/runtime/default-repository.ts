import { openRepository } from "./open-repository.ts";
import type { Repository, Secret } from "./repository.ts";

let opening: Promise<Repository> | undefined;

/** {@link Repository.getSecret} of the repository around the current directory, which is opened when first asked. */
export async function getSecret(address: string): Promise<Secret> {
  return await (await openDefault()).getSecret(address);
}

/** {@link Repository.getSecrets} of the repository around the current directory. */
export async function getSecrets(scope: string): Promise<ReadonlyMap<string, Secret>> {
  return await (await openDefault()).getSecrets(scope);
}

/** {@link Repository.resolve} of the repository around the current directory. */
export async function resolve<T>(config: T): Promise<T> {
  return await (await openDefault()).resolve(config);
}

/** A failure is not kept: the next call tries again. */
async function openDefault(): Promise<Repository> {
  const mine = (opening ??= openRepository());
  try {
    return await mine;
  } catch (error) {
    if (opening === mine) opening = undefined;
    throw error;
  }
}
