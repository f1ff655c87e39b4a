import { z } from "zod";
import { parseAddress } from "../../secret/address.ts";
import { kubernetesName, kubernetesNamespace } from "../../services/kubernetes-client.ts";
import { sealedManifestFacts } from "./kubernetes-names.ts";
import { manifestPath } from "./manifest-file.ts";
import { openManifest } from "./manifest-target.ts";
import type { Item, Target } from "./target.ts";

/** What a secret is called in the store: text in which `{name}` and `{scope}` stand for the secret's own. */
const remoteName = z.string().regex(/^(?:[A-Za-z0-9_./:@=+-]|\{name\}|\{scope\}){1,512}$/, {
  error: "a name in the store is letters, digits and _ . / : @ = + -, with {name} and {scope} for those of the secret",
});

const options = z.strictObject({
  file: manifestPath,
  namespace: kubernetesNamespace,
  /** Of the ExternalSecret, and of the Secret that the operator makes. */
  name: kubernetesName,
  store: z.strictObject({
    name: kubernetesName,
    kind: z.enum(["SecretStore", "ClusterSecretStore"]).default("SecretStore"),
  }),
  /** How often the operator looks. */
  refresh: z
    .string()
    .regex(/^(?:0|(?:[1-9][0-9]{0,4}[smh]){1,3})$/)
    .default("1h"),
  remote: z.strictObject({ key: remoteName.default("{name}"), property: remoteName.exactOptional() }).prefault({}),
});
type ExternalSecretOptions = z.infer<typeof options>;

/** Where one key comes from, in the words of the operator, with whatever else stands there. */
type Row = Readonly<Record<string, unknown>>;

/**
 * An ExternalSecret (external-secrets.io/v1) in the repository, by which an operator fetches values
 * from a store. No value is in it; the ids of values are, so that the operator looks at once when one changes.
 */
export const externalSecretTarget: Target<ExternalSecretOptions> = {
  describe: "an ExternalSecret manifest",
  options,
  facts: () => ({
    ...sealedManifestFacts,
    needsAfterwards: "the manifest must be committed and applied, and the store must have the values before",
  }),
  references: () => [],
  place: ({ file, namespace, name }) => `${file} (ExternalSecret ${namespace}/${name})`,
  toName: (name) => name,
  open: (checked, access) => {
    const { file, namespace, name, store, refresh, remote } = checked;
    const opened = openManifest<Row>({
      root: access.directory ?? ".",
      file,
      apiVersion: "external-secrets.io/v1",
      kind: "ExternalSecret",
      mode: 0o644,
      fields: [
        [["metadata", "name"], name],
        [["metadata", "namespace"], namespace],
        [["spec", "refreshInterval"], refresh],
        [["spec", "secretStoreRef", "name"], store.name],
        [["spec", "secretStoreRef", "kind"], store.kind],
        [["spec", "target", "name"], name],
      ],
      cellsPath: ["spec", "data"],
      readCells: (document) => readRows(document.toJS({ maxAliasCount: 0 })),
      printCells: (rows) => [...rows.values()],
      makeCell: (item) => ({ secretKey: item.name, remoteRef: remoteOf(item, remote) }),
      madeFor: JSON.stringify(remote),
    });
    return Promise.resolve(opened);
  },
};

function remoteOf({ mark }: Item, { key, property }: ExternalSecretOptions["remote"]) {
  const { scope, name } = parseAddress(mark.address);
  const fill = (text: string) => text.replaceAll("{scope}", scope).replaceAll("{name}", name);
  return { key: fill(key), ...(property === undefined ? {} : { property: fill(property) }) };
}

const rows = z.object({
  spec: z.object({ data: z.array(z.looseObject({ secretKey: z.string() })).default([]) }).default({ data: [] }),
});

function readRows(held: unknown): ReadonlyMap<string, Row> {
  const parsed = rows.safeParse(held);
  return new Map((parsed.data?.spec.data ?? []).map((row) => [row.secretKey, row]));
}
