import { createRepository, type TestRepository } from "../support/repository.ts";
import { createCommitMaker, type CommitMaker, type MadeFile, type MadeSignedCommit } from "../support/make-commits.ts";
import { ed25519Signer, type TestSigner } from "../support/ssh-signers.ts";
import { scopeFile } from "../history/made-history.ts";

export type Files = Readonly<Record<string, MadeFile>>;

/** A finding as `verify --json` prints it. */
export interface PrintedFinding {
  readonly commit: string | null;
  readonly rule: string;
  readonly severity: string;
  readonly message: string;
  readonly hint: string;
}

export interface PrintedVerdict {
  readonly accepted: boolean;
  readonly commits: number;
  readonly continued: boolean;
  readonly findings: readonly PrintedFinding[];
}

/** A team with signing keys, and a root commit to begin from. */
export interface SignedTeam {
  readonly repository: TestRepository;
  readonly maker: CommitMaker;
  /** The files of the root. */
  readonly files: Files;
  readonly root: string;
  /** Makes a commit on others; `files` is the whole tree. */
  commit(parents: readonly string[], files: Files, signer?: TestSigner, more?: Partial<MadeSignedCommit>): string;
  /** What `verify` says from the root to `tip`, with its exit status. */
  verify(tip: string, ...options: readonly string[]): Promise<PrintedVerdict & { readonly code: number }>;
}

const names = ["alice", "bob", "carol", "dave", "robot"] as const;
type Name = (typeof names)[number];
/** alice is admin, bob writes in prod, carol reads, dave writes in dev, robot rotates in prod. */
export const signers: Readonly<Record<Name, TestSigner>> = {
  alice: ed25519Signer("alice"),
  bob: ed25519Signer("bob"),
  carol: ed25519Signer("carol"),
  dave: ed25519Signer("dave"),
  robot: ed25519Signer("robot"),
};

export interface PolicyOptions {
  readonly version?: number;
  readonly signing?: "off" | "warn" | "require";
  readonly without?: readonly Name[];
  /** Lines under `removed` and `removed_keys`. */
  readonly removed?: string;
  readonly roles?: Partial<Readonly<Record<Name, string>>>;
  /** Further members with their keys. */
  readonly extra?: Readonly<Record<string, TestSigner>>;
}

/** The files of a policy for the team. */
export function policyFiles({
  version = 1,
  signing = "require",
  without = [],
  removed = "",
  roles = {},
  extra = {},
}: PolicyOptions = {}): Files {
  const standard: Readonly<Record<Name, string>> = {
    alice: "admin",
    bob: "prod",
    carol: "reader",
    dave: "dev",
    robot: "robot",
  };
  const members = names.filter((name) => !without.includes(name));
  const lines = [
    ...members.map((name) => `  ${name}: { roles: [${roles[name] ?? standard[name]}] }`),
    ...Object.keys(extra).map((name) => `  ${name}: { roles: [admin] }`),
  ];
  const text = `version: ${version}
signing: ${signing}
members:
${lines.join("\n")}
roles:
  admin: { admin: true, grants: [{ scopes: ["**"], allow: [read, write, delete, rotate, deploy] }] }
  prod: { grants: [{ scopes: ["prod/**"], allow: [read, write, delete] }] }
  reader: { grants: [{ scopes: ["**"], allow: [read] }] }
  dev: { grants: [{ scopes: ["dev/**"], allow: [read, write, delete] }] }
  robot: { grants: [{ scopes: ["prod/**"], allow: [read, rotate] }] }
${removed}`;
  const keys = [...members.map((name) => [name, signers[name]] as const), ...Object.entries(extra)];
  return {
    "policies/access.yaml": text,
    ...Object.fromEntries(keys.map(([name, { publicKey }]) => [`policies/members/${name}.pub`, `${publicKey.text}\n`])),
  };
}

/** A scope file of prod/api: names to numbers of value and generation. */
export function api(records: Readonly<Record<string, readonly [number, number]>>): Files {
  return scopeFile("prod/api", records);
}

/** A repository with the policy and a few secrets in its root commit. */
export function createSignedTeam(options: PolicyOptions = {}): SignedTeam {
  const repository = createRepository();
  const maker = createCommitMaker(repository);
  const files = {
    ...policyFiles(options),
    ...api({ API_KEY: [1, 1], DB_URL: [2, 1] }),
    ...scopeFile("dev/app", { TOKEN: [3, 1] }),
    "README.md": "test\n",
  };
  const root = maker.commit({ files });
  return {
    repository,
    maker,
    files,
    root,
    commit: (parents, tree, signer, more = {}) =>
      maker.commit({ parents, files: tree, ...(signer === undefined ? {} : { signer }), ...more }),
    async verify(tip, ...more) {
      maker.write(tip);
      const from = more.some((option) => /^--(?:range|deployed)/.test(option)) ? [] : ["--root", root];
      const result = await repository.run(["verify", ...from, ...more, "--json"]);
      if (result.stdout === "") throw new Error(result.stderr);
      return { ...result.json<PrintedVerdict>(), code: result.code };
    },
  };
}
