import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { makeThrowAway } from "./throw-away.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A module of this repository as a file that every supported Node can run, with what it imports in it. */
export async function bundleModule(path: string): Promise<string> {
  const folder = makeThrowAway("sealtree-bundle-");
  const build = await rolldown({ input: join(root, path), platform: "node", external: ["@napi-rs/keyring"] });
  try {
    await build.write({ dir: folder, format: "esm", entryFileNames: "entry.mjs", chunkFileNames: "[name]-[hash].mjs" });
  } finally {
    await build.close();
  }
  return join(folder, "entry.mjs");
}
