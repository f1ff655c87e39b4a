import type { Identity } from "../crypto/identity.ts";
import type { Secret } from "../secret/secret.ts";
import type { ServiceAccess } from "../services/service-access.ts";

/** Reads values at a target, with the rights of a reader and no more. */
export interface TargetReader {
  /** The present values of those names that are there. Throws ProviderFailure. */
  read(names: readonly string[]): Promise<ReadonlyMap<string, Secret>>;
  close?(): Promise<void>;
}

/** What a reader is given to work with. */
export interface ReaderAccess extends ServiceAccess {
  /** Those that the program reads with. Throws E_NO_IDENTITY. */
  identities(): Promise<readonly Identity[]>;
}

/** Opens a reader from the fields of a target's kind as they are written, which were checked before. */
export type OpenTargetReader = (written: unknown, access: ReaderAccess) => Promise<TargetReader>;

/** Kinds with a reader of their own; a name is loaded when it is first read from. */
const readers: Readonly<Record<string, () => Promise<OpenTargetReader>>> = {
  vault: async () => (await import("./vault-reader.ts")).openVaultReader,
  "aws-secrets-manager": async () => (await import("./aws-reader.ts")).openAwsReader,
  "azure-key-vault": async () => (await import("./azure-reader.ts")).openAzureReader,
  postgres: async () => (await import("./sql-reader.ts")).openPostgresReader,
  sqlite: async () => (await import("./sql-reader.ts")).openSqliteReader,
  dotenv: async () => (await import("./dotenv-reader.ts")).openDotenvReader,
  "gcp-secret-manager": async () => (await import("./gcp-reader.ts")).openGcpReader,
};

/** The reader of a kind; undefined for a kind that is read in the way `drift` looks at it. */
export async function findTargetReader(kind: string): Promise<OpenTargetReader | undefined> {
  return Object.hasOwn(readers, kind) ? await readers[kind]?.() : undefined;
}

/** Requests at the same time, at most. */
const maxAtOnce = 8;

/** Reads names one a request, a few at the same time; those without a value are left out. */
export async function readEach(
  names: readonly string[],
  read: (name: string) => Promise<Secret | undefined>,
): Promise<ReadonlyMap<string, Secret>> {
  const found = new Map<string, Secret>();
  const left = names.values();
  const work = async () => {
    for (const name of left) {
      const value = await read(name);
      if (value !== undefined) found.set(name, value);
    }
  };
  await Promise.all(Array.from({ length: Math.min(maxAtOnce, names.length) }, work));
  return found;
}
