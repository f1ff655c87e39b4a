import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeThrowAway } from "./throw-away.ts";
import { encodeBech32 } from "../../src/crypto/bech32.ts";

/** What the test plugin wrote down of one start. */
export interface PluginStartRecord {
  readonly machine: string;
  readonly keys: number;
  readonly files: number;
  /** Variables of sealtree that it could see. */
  readonly own: readonly string[];
  /** The commands of the first phase, each once. */
  readonly commands: readonly string[];
  readonly directory: string;
}

/** A folder that holds an executable `age-plugin-sealtreetest`; removed when the test file ends. */
export interface TestPlugin {
  readonly folder: string;
  /** An environment whose PATH has the folder first. */
  readonly env: Readonly<Record<string, string>>;
  /** What it wrote down so far. */
  starts(): PluginStartRecord[];
}

const script = fileURLToPath(new URL("age-plugin-sealtreetest.js", import.meta.url));

/** Installs the test plugin. `mode` is one of those in age-plugin-sealtreetest.js. */
export function installTestPlugin(mode = ""): TestPlugin {
  const base = makeThrowAway("sealtree-plugin-");
  const folder = join(base, "bin");
  mkdirSync(folder, { mode: 0o755 });
  writeTestPlugin(join(folder, "age-plugin-sealtreetest"));
  const log = join(base, "starts");
  return {
    folder,
    env: {
      PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}`,
      AGE_TEST_PLUGIN_LOG: log,
      AGE_TEST_PLUGIN_MODE: mode,
      AGE_TEST_PLUGIN_WAIT: join(base, "go-on"),
    },
    starts: () =>
      existsSync(log)
        ? readFileSync(log, "utf8")
            .trimEnd()
            .split("\n")
            .map((line) => JSON.parse(line) as PluginStartRecord)
        : [],
  };
}

/** Writes an executable that starts the test plugin. */
export function writeTestPlugin(path: string): void {
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`);
  chmodSync(path, 0o755);
}

/** A key of the test plugin, for everybody to see. */
export function testPluginKey(seed: string): { readonly identity: string; readonly recipient: string } {
  const bytes = Buffer.alloc(20, `public test key ${seed} `);
  return {
    identity: encodeBech32("age-plugin-sealtreetest-", bytes).toUpperCase(),
    recipient: encodeBech32("age1sealtreetest", bytes),
  };
}
