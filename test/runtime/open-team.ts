import { onTestFinished } from "vitest";
import { isSealtreeError, type SealtreeError } from "../../src/errors.ts";
import { openRuntime } from "../../src/runtime/open-repository.ts";
import type { OpenOptions } from "../../src/runtime/repository.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { ManualClock } from "./fake-provider.ts";

/** A repository with values, by address. */
export async function createTeam(values: Readonly<Record<string, string>>): Promise<TestRepository> {
  const repository = await createSealedRepository();
  for (const [address, text] of Object.entries(values)) await setValue(repository, address, text);
  return repository;
}

export async function setValue(repository: TestRepository, address: string, text: string): Promise<void> {
  await repository.ok(["set", address, "--stdin"], { stdin: text });
}

/** The library in a repository, with the environment of its owner and a clock that stands still. */
export async function openLibrary(repository: TestRepository, options: OpenOptions = {}) {
  const clock = new ManualClock();
  const env = { ...repository.env, ...options.env };
  const runtime = await openRuntime({ directory: repository.root, ...options, env }, clock);
  onTestFinished(async () => await runtime.close());
  return { runtime, clock };
}

/** The failure of the library that `work` ends with. */
export async function failureOf(work: Promise<unknown>): Promise<SealtreeError> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  if (isSealtreeError(error)) return error;
  throw new Error("it did not fail with an error of ours");
}
