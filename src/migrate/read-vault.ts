import { readFileSync } from "node:fs";
import { errnoOf, SealtreeError, usageError } from "../errors.ts";
import type { ServiceAccess } from "../services/service-access.ts";
import { openVaultClient } from "../services/vault-client.ts";
import { vaultConnectionOptions } from "../services/vault-connection.ts";
import { z } from "zod";
import { createEnvironmentAccess, type MigrationWorld } from "./environment-access.ts";
import { sourceError } from "./source-tree.ts";
import type { SourceContents } from "./source-values.ts";

const connectionOptions = z.strictObject(vaultConnectionOptions);

/**
 * The keys of one entry of a KV engine of version 2, at `place` such as `secret/apps/api`: the mount,
 * and the path in it. Where Vault is and who asks comes from VAULT_ADDR, VAULT_NAMESPACE and
 * VAULT_TOKEN. Throws E_USAGE, E_INPUT_INVALID when nothing is there, and ProviderFailure.
 */
export async function readVault(place: string, world: MigrationWorld): Promise<SourceContents> {
  const { mount, path } = parsePlace(place);
  const access: ServiceAccess = createEnvironmentAccess(world);
  const client = await openVaultClient(connectionOf(world.env), mount, access);
  try {
    const entry = await client.read(path);
    if (entry?.data === undefined) {
      throw sourceError(
        "Vault has nothing at that path, or its newest version was deleted",
        "see what there is: vault kv list MOUNT",
      );
    }
    const values = [...entry.data].map(([key, secret]) => ({
      path: [key],
      secret,
      type: "text" as const,
      comments: [],
      isOpen: false,
    }));
    return {
      values,
      leftOut: entry.version > 1 ? [{ path: [], reason: `${entry.version - 1} versions before this one` }] : [],
    };
  } finally {
    await client.close();
  }
}

function parsePlace(place: string): { mount: string; path: string } {
  const slash = place.indexOf("/");
  if (slash <= 0 || place.endsWith("/")) {
    throw usageError("the place in Vault is not known", "name the mount and the path in it, such as secret/apps/api");
  }
  return { mount: place.slice(0, slash), path: place.slice(slash + 1) };
}

function connectionOf(env: MigrationWorld["env"]): z.infer<typeof connectionOptions> {
  const missing = ["VAULT_ADDR", "VAULT_TOKEN"].filter((name) => (env[name] ?? "") === "");
  if (missing.length > 0) {
    throw usageError(
      `the environment has no ${missing.join(" and no ")}`,
      "set VAULT_ADDR, such as https://vault.example.com:8200, and VAULT_TOKEN",
    );
  }
  const namespace = env["VAULT_NAMESPACE"] ?? "";
  const read = connectionOptions.safeParse({
    address: env["VAULT_ADDR"],
    auth: { token: "${env:VAULT_TOKEN}" },
    ...(namespace === "" ? {} : { namespace: namespace.replace(/^\/+|\/+$/g, "") }),
    ...authorityOf(env),
  });
  if (read.success) return read.data;
  throw new SealtreeError("E_USAGE", "VAULT_ADDR, VAULT_NAMESPACE or VAULT_CACERT cannot be used", {
    hints: ["VAULT_ADDR is https, or http on this machine, without a user and a query; VAULT_CACERT is PEM"],
  });
}

/** As Vault's own program: the text of certificates, or the path of a file with them. */
function authorityOf(env: MigrationWorld["env"]): { ca?: string } {
  if (env["VAULT_CACERT_BYTES"]) return { ca: "${env:VAULT_CACERT_BYTES}" };
  const path = env["VAULT_CACERT"] ?? "";
  if (path === "") return {};
  try {
    return { ca: readFileSync(path, "utf8") };
  } catch (error) {
    throw new SealtreeError("E_IO", `the file that VAULT_CACERT names cannot be read (${errnoOf(error) ?? "error"})`, {
      cause: error,
    });
  }
}
