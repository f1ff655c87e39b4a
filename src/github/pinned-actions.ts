/** An action of somebody else, at one commit. */
export interface PinnedAction {
  /** `owner/repository`, with a folder where it is one. */
  readonly name: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  /** The release that the commit is, such as `v7.0.1`; undefined when nobody said. */
  readonly version: string | undefined;
}

/**
 * What the workflows that we write use besides our own Action. To renew a pin of this file: take the
 * commit of the newest release (`git ls-remote --tags` of its repository; for an annotated tag the line
 * that ends with `^{}`), compare it with what at least two other projects pin, read what changed
 * between the two, and write it here and into .github/workflows, which a test compares.
 */
export const pinnedActions = {
  checkout: { name: "actions/checkout", commit: "3d3c42e5aac5ba805825da76410c181273ba90b1", version: "v7.0.1" },
} as const satisfies Record<string, PinnedAction>;

/** What the workflows of this project alone use besides those. */
export const projectActions = {
  setupNode: { name: "actions/setup-node", commit: "820762786026740c76f36085b0efc47a31fe5020", version: "v7.0.0" },
  uploadArtifact: {
    name: "actions/upload-artifact",
    commit: "043fb46d1a93c77aae656e7c1c64a875d1fc6a0a",
    version: "v7.0.1",
  },
  downloadArtifact: {
    name: "actions/download-artifact",
    commit: "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c",
    version: "v8.0.1",
  },
  attest: {
    name: "actions/attest-build-provenance",
    commit: "0f67c3f4856b2e3261c31976d6725780e5e4c373",
    version: "v4.1.1",
  },
} as const satisfies Record<string, PinnedAction>;

/** Either of ours, or newer ones that the repository has already. */
export type ActionPins = Readonly<Record<keyof typeof pinnedActions, PinnedAction>>;

const usePattern = /\buses: "?([\w.-]+\/[\w./-]+)@([0-9a-f]{40})"?(?:[ \t]+#[ \t]*(v[0-9][\w.+-]*))?/g;

/** Every action that a workflow uses by its full commit, in the order of the file. */
export function listUses(text: string): PinnedAction[] {
  return [...text.matchAll(usePattern)].map(([, name = "", commit = "", version]) => ({ name, commit, version }));
}

/** `text` with the commits and versions of all actions taken out: what is left when only they differ. */
export function withoutPins(text: string): string {
  return text.replaceAll(usePattern, "uses: $1");
}

/** `owner/repository@COMMIT # v1.2.3`, as it stands after `uses:`. */
export function printUse({ name, commit, version }: PinnedAction): string {
  return `${name}@${commit}${version === undefined ? "" : ` # ${version}`}`;
}

/**
 * What {@link printUse} prints. Undefined for everything else: a tag, a branch and a shortened
 * commit name code that can be exchanged.
 */
export function findPinnedAction(text: string): PinnedAction | undefined {
  const match = /^([\w.-]+\/[\w.-]+)@([0-9a-f]{40})(?:\s+#\s*(v[0-9][\w.+-]*))?$/.exec(text.trim());
  return match === null ? undefined : { name: match[1] ?? "", commit: match[2] ?? "", version: match[3] };
}

/** Our pins, and in place of one a newer release of the same action that `used` names: Dependabot was there. */
export function choosePins(used: readonly PinnedAction[]): ActionPins {
  const entries = Object.entries(pinnedActions).map(([key, ours]: [string, PinnedAction]) => {
    const newer = used.find(({ name, version }) => name === ours.name && isNewer(version, ours.version));
    return [key, newer ?? ours];
  });
  return Object.fromEntries(entries) as ActionPins;
}

/** True when `one` is a later release than `other`; false where either is no full version. */
function isNewer(one: string | undefined, other: string | undefined): boolean {
  const [a, b] = [numbersOf(one), numbersOf(other)];
  if (a === undefined || b === undefined) return false;
  const at = a.findIndex((number, index) => number !== b[index]);
  return at >= 0 && (a[at] ?? 0) > (b[at] ?? 0);
}

function numbersOf(version: string | undefined): readonly number[] | undefined {
  const match = /^v(\d{1,9})\.(\d{1,9})\.(\d{1,9})$/.exec(version ?? "");
  return match === null ? undefined : match.slice(1).map(Number);
}
