import { startDescribedApi, type ApiCall, type ApiReply, type DescribedApi } from "./described-api.ts";

/** Leaf fields of a Secret by path: `.data.KEY`, `.metadata.annotations.NAME`, `.type`. */
type Fields = Map<string, string>;

interface Manager {
  readonly name: string;
  readonly operation: "Apply" | "Update";
  readonly fields: Set<string>;
}

interface HeldSecret {
  readonly fields: Fields;
  managers: Manager[];
  version: number;
  isImmutable: boolean;
}

export interface FakeKubernetes extends DescribedApi {
  /** Values of a Secret as an administrator sees them. */
  peek(name: string): Readonly<Record<string, string>>;
  annotations(name: string): Readonly<Record<string, string>>;
  /** Changes leaf fields as `kubectl edit` of somebody does; undefined removes one. */
  edit(name: string, changes: Readonly<Record<string, string | undefined>>, manager?: string): void;
  /** Deletes it, as `kubectl delete` does. */
  drop(name: string): void;
  freeze(name: string): void;
  readonly state: { mayPatch: boolean; token: string };
}

export const fakeToken = "test-kubernetes-token";
export const fakeNamespace = "test-space";
const ownFields = [".type"];

/**
 * An API server with the Secrets of one namespace, by the published schemas of Kubernetes 1.37: get, and
 * server-side apply with ownership of each leaf field, conflicts, force, and removal of what a manager
 * applied before and leaves out. The rules are those of the pages on server-side apply; the test
 * in test/real/targets compares them with Kubernetes' own code.
 */
export async function startFakeKubernetes(): Promise<FakeKubernetes> {
  const secrets = new Map<string, HeldSecret>();
  const state = { mayPatch: true, token: fakeToken };
  let versions = 1;

  const touch = (name: string): HeldSecret => {
    const held = secrets.get(name) ?? { fields: new Map(), managers: [], version: 0, isImmutable: false };
    secrets.set(name, held);
    held.version = ++versions;
    return held;
  };

  function answer(call: ApiCall): ApiReply {
    if (call.header("authorization") !== `Bearer ${state.token}`) return refusal(401, "Unauthorized");
    if (call.operation.startsWith("POST")) {
      return { status: 201, json: { ...call.body, status: { allowed: state.mayPatch } } };
    }
    const { namespace = "", name = "" } = call.params;
    const held = secrets.get(name);
    if (call.operation.startsWith("GET")) {
      return held === undefined ? refusal(404, "NotFound") : { status: 200, json: print(name, held) };
    }
    if (!state.mayPatch) return refusal(403, "Forbidden");
    if (namespace !== fakeNamespace) return refusal(404, "NotFound");
    return apply(name, call.body, call.query.get("fieldManager") ?? "", call.query.get("force") === "true");
  }

  function apply(name: string, body: ApiCall["body"], manager: string, isForced: boolean): ApiReply {
    const present = secrets.get(name);
    const { resourceVersion } = body["metadata"] as Record<string, string>;
    if (resourceVersion !== undefined && resourceVersion !== String(present?.version)) return refusal(409, "Conflict");
    const wanted = leavesOf(body);
    const problem = findProblem(wanted, present);
    if (problem !== undefined) return refusal(422, problem);
    const before = present?.fields ?? new Map<string, string>();
    const others = (present?.managers ?? []).filter((it) => it.name !== manager || it.operation !== "Apply");
    const changed = [...wanted].filter(([path, text]) => before.get(path) !== text).map(([path]) => path);
    const disputed = changed.filter((path) => others.some(({ fields }) => fields.has(path)));
    if (disputed.length > 0 && !isForced) return refusal(409, "Conflict", disputed);

    const held = touch(name);
    const own = held.managers.find((it) => it.name === manager && it.operation === "Apply");
    for (const path of own?.fields ?? []) {
      if (!wanted.has(path) && !others.some(({ fields }) => fields.has(path))) held.fields.delete(path);
    }
    for (const { fields } of others) for (const path of disputed) fields.delete(path);
    for (const [path, text] of wanted) held.fields.set(path, text);
    held.managers = [...others, { name: manager, operation: "Apply", fields: new Set(wanted.keys()) }];
    return { status: present === undefined ? 201 : 200, json: print(name, held) };
  }

  const api = await startDescribedApi({ description: "kubernetes", answer });
  return {
    ...api,
    state,
    peek(name) {
      const data = Object.entries(below(".data.", secrets.get(name)?.fields ?? []));
      return Object.fromEntries(data.map(([key, text]) => [key, Buffer.from(text, "base64").toString()]));
    },
    annotations: (name) => below(".metadata.annotations.", secrets.get(name)?.fields ?? []),
    edit(name, changes, manager = "kubectl-edit") {
      const held = touch(name);
      if (!held.fields.has(".type")) held.fields.set(".type", "Opaque");
      let own = held.managers.find((it) => it.name === manager && it.operation === "Update");
      if (own === undefined)
        held.managers.push((own = { name: manager, operation: "Update", fields: new Set(ownFields) }));
      for (const [path, text] of Object.entries(changes)) {
        if (held.fields.get(path) === text) continue;
        for (const { fields } of held.managers) fields.delete(path);
        if (text === undefined) held.fields.delete(path);
        else held.fields.set(path, text);
        if (text !== undefined) own.fields.add(path);
      }
    },
    drop: (name) => void secrets.delete(name),
    freeze: (name) => void (touch(name).isImmutable = true),
  };
}

function findProblem(wanted: Fields, present: HeldSecret | undefined): string | undefined {
  const data = [...wanted].filter(([path]) => path.startsWith(".data."));
  const isChanged = data.some(([path, text]) => present?.fields.get(path) !== text);
  if (present?.isImmutable === true && isChanged) return "immutable";
  const type = present?.fields.get(".type");
  if (type !== undefined && wanted.get(".type") !== type) return "field is immutable";
  if (data.some(([path]) => !/^\.data\.(?!\.$|\.\.)[-._a-zA-Z0-9]{1,253}$/.test(path))) return "invalid key";
  const size = data.reduce((sum, [, text]) => sum + Buffer.from(text, "base64").length, 0);
  return size > 1024 * 1024 ? "too long" : undefined;
}

function leavesOf(body: ApiCall["body"]): Fields {
  const {
    data = {},
    type,
    metadata,
  } = body as {
    data?: Record<string, string>;
    type?: string;
    metadata: { annotations?: Record<string, string> };
  };
  const annotations = Object.entries(metadata.annotations ?? {});
  return new Map([
    ...Object.entries(data).map(([key, text]) => [`.data.${key}`, text] as const),
    ...annotations.map(([key, text]) => [`.metadata.annotations.${key}`, text] as const),
    ...(type === undefined ? [] : [[".type", type] as const]),
  ]);
}

/** Fields below a path, by what comes after it. */
function below(prefix: string, fields: Iterable<readonly [string, string]>): Record<string, string> {
  const found = [...fields].filter(([path]) => path.startsWith(prefix));
  return Object.fromEntries(found.map(([path, text]) => [path.slice(prefix.length), text]));
}

function print(name: string, held: HeldSecret): unknown {
  const marks = (fields: ReadonlySet<string>, prefix: string) =>
    Object.fromEntries(
      [...fields].flatMap((path) => (path.startsWith(prefix) ? [[`f:${path.slice(prefix.length)}`, {}]] : [])),
    );
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: held.fields.get(".type") ?? "Opaque",
    ...(held.isImmutable ? { immutable: true } : {}),
    data: below(".data.", held.fields),
    metadata: {
      name,
      namespace: fakeNamespace,
      resourceVersion: String(held.version),
      annotations: below(".metadata.annotations.", held.fields),
      managedFields: held.managers.map(({ name: manager, operation, fields }) => ({
        manager,
        operation,
        apiVersion: "v1",
        time: "2026-01-02T03:04:05Z",
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:data": { ".": {}, ...marks(fields, ".data.") },
          "f:metadata": { "f:annotations": marks(fields, ".metadata.annotations.") },
          ...(fields.has(".type") ? { "f:type": {} } : {}),
        },
      })),
    },
  };
}

/** What is refused says why, with what was sent in it, as the real server does. */
function refusal(status: number, reason: string, disputed: readonly string[] = []): ApiReply {
  const causes = disputed.map((field) => ({
    reason: "FieldManagerConflict",
    message: 'conflict with "kubectl-edit"',
    field,
  }));
  const json = { kind: "Status", apiVersion: "v1", status: "Failure", code: status, reason, details: { causes } };
  return { status, json };
}
