import { z } from "zod";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { Secret } from "../../secret/secret.ts";
import {
  kubernetesName,
  kubernetesNamespace,
  kubernetesReferences,
  kubernetesServer,
  openKubernetesClient,
  type KubernetesClient,
  type KubernetesSecret,
  type SecretManifest,
} from "../../services/kubernetes-client.ts";
import { referenceKey, type SecretReference } from "../../services/secret-reference.ts";
import { markAnnotation, secretKeyRule, secretType } from "./kubernetes-names.ts";
import { findMarkList, printMarkList } from "./mark-list.ts";
import { manifestPath } from "./manifest-file.ts";
import { openSecretManifest } from "./secret-manifest.ts";
import type { Change, Found, Mark, OpenTarget, Progress, Target, TargetFacts } from "./target.ts";

const common = {
  namespace: kubernetesNamespace,
  /** Of the Secret. */
  name: kubernetesName,
  type: secretType,
};
const [byAddress, byKubeconfig] = kubernetesServer.options;
const options = z.union(
  [
    z.strictObject({ ...byAddress.shape, ...common }),
    z.strictObject({ ...byKubeconfig.shape, ...common }),
    /** Writes the manifest, and talks to no server. */
    z.strictObject({ manifest: manifestPath, ...common }),
  ],
  { error: "namespace and name of a Secret, and one of: api with token, kubeconfig, manifest" },
);
type KubernetesOptions = z.infer<typeof options>;

const manager = "sealtree";
/** Of all values of a Secret (MaxSecretSize). */
const maxSecretBytes = 1024 * 1024;
const maxAnnotationBytes = 128 * 1024;

/** Keys of a Secret of Kubernetes, by server-side apply, or as a manifest. */
export const kubernetesTarget: Target<KubernetesOptions> = {
  describe: "a Secret of Kubernetes",
  options,
  facts: (checked): TargetFacts => ({
    readsBack: true,
    keepsMarks: true,
    hasVersions: false,
    comparesAndSwaps: !("manifest" in checked),
    nameRule: secretKeyRule,
    maxValueBytes: maxSecretBytes,
    maxTotalBytes: maxSecretBytes,
    holdsBinary: true,
    needsAfterwards:
      "manifest" in checked
        ? "the manifest must be applied: kubectl apply -f FILE"
        : "pods that have it as variables must be restarted; files follow by themselves within minutes",
  }),
  references: (checked) => ("manifest" in checked ? [] : kubernetesReferences(checked)),
  place(checked) {
    const object = `${checked.namespace}/${checked.name}`;
    if ("manifest" in checked) return `${checked.manifest} (Secret ${object})`;
    if ("api" in checked) return `${new URL(checked.api).host}, Secret ${object}`;
    return `${checked.context ?? "current context"} of ${printKubeconfig(checked.kubeconfig)}, Secret ${object}`;
  },
  toName: (name) => name,
  async open(checked, access) {
    if ("manifest" in checked) return openSecretManifest(checked, access);
    return openSecret(await openKubernetesClient(checked, access), checked);
  },
};
/** Two kubeconfigs are two places. */
function printKubeconfig(reference: SecretReference): string {
  return reference.kind === "environment" ? reference.name : referenceKey(reference);
}

function openSecret(client: KubernetesClient, { namespace, name, type }: KubernetesOptions): OpenTarget {
  let present: KubernetesSecret | undefined;

  async function apply(change: Change, left: ReadonlySet<string>): Promise<readonly string[]> {
    const manifest = manifestOf(change, left);
    // Only what the engine was told to take over is without a mark here.
    const isForced = change.writes.some(({ found }) => found !== undefined && found.mark === undefined);
    const applied = await client.applySecret(manifest, manager, isForced);
    if (applied.outcome === "conflict") return applied.fields;
    present = applied.secret;
    return [];
  }

  /** Everything of ours: what an apply leaves out is removed. */
  function manifestOf({ writes, removes }: Change, left: ReadonlySet<string>): SecretManifest {
    const marks = new Map(present === undefined ? [] : marksOf(present));
    const data = new Map<string, Secret>();
    for (const key of marks.keys()) {
      const value = present?.data.get(key);
      if (value === undefined) marks.delete(key);
      else data.set(key, value);
    }
    for (const item of writes) {
      data.set(item.name, item.value);
      marks.set(item.name, item.mark);
    }
    for (const gone of [...removes.map((it) => it.name), ...left]) {
      data.delete(gone);
      marks.delete(gone);
    }
    return {
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name,
        namespace,
        ...(present === undefined ? {} : { resourceVersion: present.resourceVersion }),
        annotations: { [markAnnotation]: printMarks(marks) },
      },
      type: present?.type ?? type,
      data: Object.fromEntries([...data].map(([key, value]) => [key, base64Of(value)])),
    };
  }

  return {
    async inspect(names) {
      await client.checkRight("patch", namespace, name);
      present = await client.findSecret(namespace, name);
      if (present === undefined) return [];
      const marks = marksOf(present);
      const blocked = whyBlocked(present, type);
      const { data, changedAtMs, resourceVersion: revision } = present;
      return [...new Set([...names, ...marks.keys()])].flatMap((key): Found[] => {
        const value = data.get(key);
        const found = { name: key, mark: marks.get(key), value, changedAtMs, revision, blocked };
        // Nothing can be made in a Secret that cannot be written, either.
        return value === undefined && (blocked === undefined || !names.includes(key)) ? [] : [found];
      });
    },
    async apply(change, progress) {
      const foreign = namesOfFields(await apply(change, new Set()), change);
      const left = foreign.size === 0 ? [] : await apply(change, foreign);
      if (left.length > 0) throw conflict();
      report(change, foreign, progress);
    },
    close: () => Promise.resolve(),
  };
}

/** Marks of keys that are ours still: a manager that changed one owns it. */
function marksOf(secret: KubernetesSecret): ReadonlyMap<string, Mark> {
  const owned = secret.ownedBy(manager);
  const marks = findMarkList([secret.annotations[markAnnotation] ?? ""]) ?? new Map<string, Mark>();
  return new Map([...marks].filter(([key]) => owned.has(key)));
}

function whyBlocked(secret: KubernetesSecret, type: string): string | undefined {
  if (secret.isBeingDeleted) return "the Secret is being deleted";
  if (secret.isImmutable) return "the Secret is immutable: name a new one";
  return secret.type === type ? undefined : "the Secret has another type, which nothing can change";
}

function printMarks(marks: ReadonlyMap<string, Mark>): string {
  const [text = "", ...more] = printMarkList(marks, maxAnnotationBytes) ?? ["", ""];
  if (more.length === 0) return text;
  throw new ProviderFailure("limit", "the marks of so many secrets have no room at one Secret", {
    hints: ["spread the scopes over several targets"],
  });
}

function base64Of(value: Secret): Secret {
  return Secret.text(Buffer.from(value.reveal()).toString("base64"));
}

/** Names that fields of a conflict are of. Throws when the conflict is about anything else. */
function namesOfFields(fields: readonly string[], { writes }: Change): ReadonlySet<string> {
  const names = new Set(writes.map(({ name }) => name).filter((name) => fields.includes(`.data.${name}`)));
  if (names.size < fields.length) throw conflict();
  return names;
}

function conflict(): ProviderFailure {
  return new ProviderFailure("rejected", "another field manager owns what we would write in the Secret", {
    hints: ["who: kubectl get secret NAME -o yaml --show-managed-fields; to take it over: --adopt"],
  });
}

function report({ writes, removes }: Change, foreign: ReadonlySet<string>, progress: Progress): void {
  for (const { name } of [...writes, ...removes]) {
    if (foreign.has(name)) progress.failed(name, conflict());
    else progress.done(name);
  }
}
