import { randomBytes } from "node:crypto";
import type { AuditEvent } from "../audit/event.ts";
import type { Identity } from "../crypto/identity.ts";
import { SealtreeError } from "../errors.ts";
import type { GitPlace } from "../git/place.ts";
import { printAddress } from "../secret/address.ts";
import { Secret } from "../secret/secret.ts";
import type { AskIdentityToken } from "../services/identity-tokens.ts";
import type { KeptReference, SecretReference } from "../services/secret-reference.ts";
import type { Tree } from "../store/tree.ts";
import { openWorkTree } from "../store/work-tree.ts";
import type { EnvironmentPolicy } from "./environment-policy.ts";
import { isFailed, type Provider } from "./provider.ts";
import { repoProvider, type RepoAccess } from "./repo-provider.ts";
import type { ReaderAccess } from "./target-reader.ts";
import { variablesProvider } from "./variables-provider.ts";

/** What the sources of a repository are made of. */
export interface SourceWorld {
  readonly place: GitPlace;
  readonly timeoutMs: number;
  identities(): Promise<readonly Identity[]>;
  audit(events: readonly AuditEvent[]): void;
  /** What asks for identity tokens of the job; undefined where there is none. */
  readonly identityToken?: AskIdentityToken;
}

/** The files at a commit, by its full id, or without one those of the work tree. */
export function openTreeOf(world: Pick<SourceWorld, "place">, commit: string | undefined): RepoAccess["openTree"] {
  if (commit === undefined) return () => Promise.resolve({ tree: workTree(world), close: () => undefined });
  return async () => {
    const { openCommitTree } = await import("../store/commit-tree.ts");
    const tree = await openCommitTree(world.place, commit);
    return { tree, close: () => tree.close() };
  };
}

/**
 * Where values come from, in the order of their precedence: at a commit its sealed values and nothing else;
 * in an environment variables, its sources and its fallback; otherwise variables and the repository.
 */
export async function openSources(
  world: SourceWorld,
  from: EnvironmentPolicy | string | undefined,
): Promise<Provider[]> {
  if (typeof from === "string") return [repoProvider({ ...world, openTree: openTreeOf(world, from) })];
  const repo = repoProvider({ ...world, openTree: openTreeOf(world, undefined) });
  const sources: Provider[] = [variablesProvider(world.place.env)];
  for (const source of from?.sources ?? [{ kind: "repo" } as const]) {
    if (source.kind === "repo") {
      sources.push(repo);
      continue;
    }
    const { targetProvider } = await import("./target-provider.ts");
    sources.push(targetProvider(source.name, source.target, async (all) => await prepareAccess(world, repo, all)));
  }
  if (from?.fallback !== undefined) {
    const { envFileProvider } = await import("./env-file-provider.ts");
    sources.push(envFileProvider(workTree(world), from.fallback));
  }
  return sources;
}

/** Made anew for each look: a work tree remembers which folders were safe. */
export function workTree({ place }: Pick<SourceWorld, "place">): Tree {
  return openWorkTree(place.root);
}

/** Credentials of a source come from the variables of the process, or from the sealed values. */
async function prepareAccess(
  world: SourceWorld,
  repo: Provider,
  references: readonly SecretReference[],
): Promise<ReaderAccess> {
  const { place, timeoutMs } = world;
  const addresses = references.flatMap((it) => (it.kind === "secret" ? [it.address] : []));
  const opened = addresses.length === 0 ? new Map<string, never>() : await repo.read(addresses);
  const kept = (reference: KeptReference): Secret => {
    if (reference.kind === "environment") return readVariable(place, reference.name);
    const address = printAddress(reference.address);
    const provided = opened.get(address);
    if (provided === undefined) {
      throw new SealtreeError("E_SECRET_NOT_FOUND", `no secret ${address}, which a source signs in with`);
    }
    if (isFailed(provided)) throw provided.failure;
    return provided.value;
  };
  const { openReferences } = await import("../services/open-references.ts");
  return {
    ...(await openReferences(references, {
      kept: async (it) => await Promise.resolve(kept(it)),
      identityToken: world.identityToken,
    })),
    random: (size) => randomBytes(size),
    now: () => new Date(),
    timeoutMs,
    directory: place.root,
    identities: () => world.identities(),
  };
}

function readVariable({ env }: GitPlace, name: string): Secret {
  const text = env[name] ?? "";
  if (text !== "") return Secret.text(text);
  throw new SealtreeError("E_NO_ACCESS", `the variable ${name} is not set, which a source signs in with`, {
    hints: ["set it in the environment of the program"],
  });
}
