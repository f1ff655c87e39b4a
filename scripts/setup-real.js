// Builds or fetches the real programs of test/real once, into the ignored folder .tools: programs
// in .tools/bin. scripts/real-tools.json holds the versions. What answers its probe with the right
// version is left alone; an empty version stands for whatever the system's own package has.
import { spawn } from "node:child_process";
import { access, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";

const tools = fileURLToPath(new URL("../.tools/", import.meta.url));
const bin = `${tools}bin`;
const environment = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, GOBIN: bin };

const installers = {
  cargo: ({ package: name, version }) =>
    run("cargo", ["install", name, "--version", version, "--locked", "--force", "--root", tools]),
  go: ({ package: name, version }) => run("go", ["install", "-trimpath", `${name}@${version}`]),
  "go-module": installFromModule,
  "go-source": installFromSource,
  npm: installNode,
  pypi: installPython,
  // apt-get takes a lock and does not wait for it, so one after another.
  debian: (tool) => (aptTurn = aptTurn.catch(() => undefined).then(() => installDebian(tool))),
};
let aptTurn = Promise.resolve();

await mkdir(bin, { recursive: true });
const wanted = JSON.parse(await readFile(new URL("real-tools.json", import.meta.url), "utf8"));
const outcomes = await Promise.allSettled(wanted.map(install));
for (const { reason } of outcomes.filter((outcome) => outcome.status === "rejected")) {
  say(reason.message);
  process.exitCode = 1;
}

async function install(tool) {
  if (await answers(tool)) return say(`${tool.name} ${tool.version}: there`);
  say(`${tool.name} ${tool.version}: installing from ${tool.from}`);
  await installers[tool.from](tool);
  if (!(await answers(tool))) throw new Error(`${tool.name}: installed, but does not answer as ${tool.version}`);
  say(`${tool.name} ${tool.version}: installed`);
}

async function answers({ probe: [command, ...args], version }) {
  const found = await output(command, args).catch(() => undefined);
  return found?.split(/\s+/).some((word) => version === "" || word.replace(/^v/, "") === version.replace(/^v/, ""));
}

/** For a module whose list of versions the proxy does not give, which `go install` asks for: named in one of ours. */
async function installFromModule({ name, module, package: pack, version }) {
  const folder = `${tools}${name}-go`;
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}/go.mod`, `module tools\n\ngo 1.21\n\nrequire ${module} ${version}\n`);
  await run("go", ["build", "-C", folder, "-mod=mod", "-trimpath", "-o", `${bin}/${name}`, pack]);
}

/** A program of our own, in the folder that `package` names, with the versions of its go.sum. */
async function installFromSource({ name, package: folder }) {
  const source = fileURLToPath(new URL(`../${folder}`, import.meta.url));
  await run("go", ["build", "-C", source, "-trimpath", "-o", `${bin}/${name}`, "."]);
}

async function installNode({ name, package: pack, version }) {
  await run("npm", ["install", "--prefix", `${tools}${name}`, "--no-save", "--no-package-lock", `${pack}@${version}`]);
  await rm(`${bin}/${name}`, { force: true });
  await symlink(`../${name}/node_modules/${pack}/bin/node`, `${bin}/${name}`);
}

/** In a folder of its own with all it needs; its programs come to .tools/bin by the tool's name. */
async function installPython({ name, package: pack, version }) {
  const folder = `${tools}${name}-python`;
  await rm(folder, { recursive: true, force: true });
  await run("python3", ["-m", "venv", folder]);
  await run(`${folder}/bin/pip`, ["install", "--quiet", "--disable-pip-version-check", `${pack}==${version}`]);
  await rm(`${bin}/${name}`, { force: true });
  await symlink(`../${name}-python/bin/${name}`, `${bin}/${name}`);
}

async function installDebian({ package: name }) {
  const root = process.getuid() === 0 ? [] : ["sudo", "-n"];
  await runAs(root, ["apt-get", "update", "-qq"]);
  await withoutServices(root, () => runAs(root, ["apt-get", "install", "-qq", "-y", "--no-install-recommends", name]));
}

/** A package of a server starts it, unless Debian's policy program says no. One that is there already is kept. */
async function withoutServices(root, work) {
  const policy = "/usr/sbin/policy-rc.d";
  const isThere = await access(policy).then(
    () => true,
    () => false,
  );
  if (isThere) return work();
  await writeFile(`${tools}policy-rc.d`, "#!/bin/sh\n# Written by npm run setup:real.\nexit 101\n");
  await runAs(root, ["install", "-m", "755", `${tools}policy-rc.d`, policy]);
  try {
    return await work();
  } finally {
    await runAs(root, ["rm", "-f", policy]);
  }
}

async function runAs(prefix, command) {
  const [program, ...args] = [...prefix, ...command];
  await run(program, args);
}

async function run(command, args) {
  await output(command, args).catch((error) => {
    throw new Error(`${command} ${args.join(" ")}: ${error.message}`);
  });
}

function output(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: environment, cwd: tools, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(text) : reject(new Error(`exit ${code}\n${text}`))));
  });
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
