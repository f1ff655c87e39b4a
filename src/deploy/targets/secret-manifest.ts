import { join } from "node:path";
import type { Document } from "yaml";
import { ProviderFailure } from "../../net/provider-failure.ts";
import type { Environment } from "../../git/place.ts";
import { Secret } from "../../secret/secret.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { openManifest } from "./manifest-target.ts";
import type { OpenTarget } from "./target.ts";

/** A Secret as a manifest. It holds values, so git must not take it. */
export function openSecretManifest(
  secret: { readonly manifest: string; readonly namespace: string; readonly name: string; readonly type: string },
  { directory: root = ".", environment = {} }: ServiceAccess,
): OpenTarget {
  return openManifest<Secret>({
    root,
    file: secret.manifest,
    apiVersion: "v1",
    kind: "Secret",
    mode: 0o600,
    fields: [
      [["metadata", "name"], secret.name],
      [["metadata", "namespace"], secret.namespace],
      [["type"], secret.type],
    ],
    cellsPath: ["data"],
    readCells: (document) => {
      const cells = [...textCells(document, ["data"])];
      return new Map(cells.map(([name, text]) => [name, Secret.fromBytes(Buffer.from(text, "base64"))]));
    },
    printCells: (cells) =>
      Object.fromEntries([...cells].map(([name, value]) => [name, Buffer.from(value.reveal()).toString("base64")])),
    makeCell: ({ value }) => value,
    valueIn: (value) => value,
    check: async () => await checkLeftOut(join(root, secret.manifest), environment),
  });
}

/** The texts of a map in a document, by key; other values are not looked at. */
export function textCells(document: Document, path: readonly string[]): ReadonlyMap<string, string> {
  const held: unknown = (document.toJS({ maxAliasCount: 0 }) as Record<string, unknown> | null) ?? {};
  const map = path.reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), held);
  const cells = Object.entries(isRecord(map) ? map : {});
  return new Map(cells.flatMap(([key, text]) => (typeof text === "string" ? [[key, text] as const] : [])));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function checkLeftOut(path: string, env: Environment): Promise<void> {
  const { findTracking } = await import("../../git/tracking.ts");
  const tracking = await findTracking(path, env);
  if (tracking === "outside" || tracking === "ignored") return;
  throw new ProviderFailure("rejected", "git has or would take the manifest, which holds values", {
    hints: [
      tracking === "tracked"
        ? "take it out with git rm --cached FILE, ignore it, and change the values at their providers"
        : "put its name into .gitignore",
      "for a manifest that may be committed, take the kind sealed-secret or external-secret",
    ],
  });
}
