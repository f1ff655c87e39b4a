import { isBuiltin } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Modules that dependencies get in place of what they ask for: `from` is part of the path of
 * the module that asks, `ask` what it asks for.
 */
const stands = [
  { from: /node_modules[\\/]commander[\\/]/, ask: "node:child_process", use: "lazy-child-process.js" },
  { from: /node_modules[\\/]/, ask: "debug", use: "silent-debug.js" },
];

/** Dependencies with machine code of their own, which no bundle can hold: loaded where they are installed. */
const natives = ["@napi-rs/keyring"];

/**
 * What every command and `get` load: one chunk with all they import statically, because each
 * further file costs time. The first two are what the launcher asks for.
 */
const coreModules = [
  "src/cli/main.ts",
  "src/cli/io.ts",
  "src/cli/context.ts",
  "src/cli/commands/get.ts",
  "src/cli/quick-parse.ts",
  "src/identity/load.ts",
];

/**
 * The same for the Action: what `export` of environment variables and outputs loads. Never the entry itself:
 * whatever else loads the chunk, such as the post step, would start the Action once more.
 */
const actionModules = ["src/cli/io.ts", "src/action/run-action.ts", "src/action/export.ts", "src/identity/load.ts"];

/** The launcher is built alone, so that it is one small file; it asks for the core by its name. */
const launchPlugin = {
  name: "launch",
  resolveId: (ask) => (ask === "./chunks/core.js" ? { id: ask, external: true } : undefined),
};

/** An entry that has the core for its only import; the launcher does without the file it makes. */
const coreEntry = "chunks/entry";
const entryPlugin = {
  name: "entry",
  resolveId: (ask) => (ask === coreEntry ? ask : undefined),
  load: (id) =>
    id === coreEntry
      ? coreModules
          .slice(0, 2)
          .map((path) => `export * from ${JSON.stringify(join(root, path))};`)
          .join("\n")
      : undefined,
};

const dependencyGroup = { name: packageChunk, debugName: "dependency", test: /[\\/]node_modules[\\/]/, priority: 1 };

/** A program of its own, which a thread runs: src/access/seal-pool.ts asks for it by this name, beside itself. */
const workerEntries = { "chunks/seal-worker": "src/access/seal-worker.ts" };

/**
 * The command, the library, and the GitHub Action, which is whole in its folder. The command
 * and the Action are CommonJS: Node starts that several milliseconds sooner than ES modules,
 * and a start is most of what a command takes. The library is what its users import.
 */
const outputs = [
  {
    folder: "",
    type: "commonjs",
    format: "cjs",
    input: { bin: "src/cli/bin.ts" },
    plugins: [launchPlugin],
    banner: "#!/usr/bin/env node\n",
  },
  {
    folder: "",
    type: "commonjs",
    format: "cjs",
    input: { [coreEntry]: coreEntry, ...workerEntries },
    plugins: [entryPlugin],
    banner: "",
  },
  {
    folder: "lib/",
    type: "module",
    format: "esm",
    input: { index: "src/index.ts" },
    plugins: [],
    banner: "",
  },
  {
    folder: "action/",
    type: "commonjs",
    format: "cjs",
    input: { main: "src/action/main.ts", post: "src/action/post.ts", ...workerEntries },
    core: actionModules,
    plugins: [],
    banner: "",
  },
];

/**
 * The bundle in memory: file name below dist, with `/`, to source text. Split chunks, not
 * minified, nothing external but node's own modules and {@link natives}. The same sources give the same bytes,
 * and chunk names hold no hash. Throws when rolldown warns.
 */
export async function bundle() {
  const files = new Map();
  for (const output of outputs) {
    files.set(`${output.folder}package.json`, `${JSON.stringify({ type: output.type })}\n`);
    for (const { fileName, code, isEntry } of await bundleOne(output)) {
      if (fileName === `${coreEntry}.js`) continue;
      files.set(output.folder + fileName, isEntry ? output.banner + code : code);
    }
  }
  for (const folder of ["chunks", "action/chunks"]) {
    const [core, runtime] = [files.get(`${folder}/core.js`), files.get(`${folder}/rolldown-runtime.js`)];
    files.set(`${folder}/core.js`, inlineRuntime(core, runtime));
  }
  return files;
}

/** The core with rolldown's few helpers inside: a file less at every start. */
function inlineRuntime(code, runtime) {
  const ask = 'require("./rolldown-runtime.js")';
  if (!code.includes(ask)) throw new Error("the core does not ask for the runtime; inlineRuntime can go");
  return code.replace(ask, () => `((exports) => {\n${runtime}\nreturn exports;\n})({})`);
}

async function bundleOne({ input, format, plugins, core = coreModules }) {
  const coreGroup = { name: "core", priority: 2, test: (id) => core.some((path) => id === join(root, path)) };
  const build = await rolldown({
    cwd: root,
    input,
    platform: "node",
    tsconfig: false,
    external: (ask, from) => natives.includes(ask) || (isBuiltin(ask) && findStand(ask, from) === undefined),
    plugins: [...plugins, { name: "stands", resolveId: findStand }],
    onLog(level, log, report) {
      // The core holds modules that others load late, on purpose.
      if (log.code === "INEFFECTIVE_DYNAMIC_IMPORT") return;
      if (level === "warn") throw new Error(log.message);
      report(level, log);
    },
  });
  try {
    const { output } = await build.generate({
      format,
      minify: false,
      comments: { legal: true, jsdoc: false, annotation: false },
      entryFileNames: "[name].js",
      chunkFileNames: "chunks/[name].js",
      codeSplitting: { groups: [coreGroup, dependencyGroup] },
    });
    return output;
  } finally {
    await build.close();
  }
}

function findStand(ask, from) {
  const stand = stands.find((candidate) => candidate.ask === ask && candidate.from.test(from ?? ""));
  return stand && fileURLToPath(new URL(`stands/${stand.use}`, import.meta.url));
}

/** One chunk a dependency, named after it, so that a stack trace and a test can tell them apart. */
function packageChunk(id) {
  const [, scope, name] = /.*[\\/]node_modules[\\/](?:(@[^\\/]+)[\\/])?([^\\/]+)/.exec(id) ?? [];
  return scope === undefined ? name : `${scope.slice(1)}-${name}`;
}
