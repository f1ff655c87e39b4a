/** The layers of src, lowest first. A folder imports itself and the layers below it. */
const layers = [
  ["secret"],
  ["git", "crypto", "net"],
  ["identity", "store", "audit", "services"],
  [
    "review",
    "rotation",
    "deploy",
    "migrate",
    "provision",
    "resolve",
    "runtime",
    "history",
    "values",
    "access",
    "github",
  ],
  ["cli", "action"],
] as const satisfies readonly (readonly string[])[];

/** Imports between folders of one layer that are allowed: from the folder, to its folders. */
const sideways: Readonly<Record<string, readonly string[]>> = {
  audit: ["identity", "store"],
  values: ["access"],
  rotation: ["values", "access", "history", "deploy"],
  history: ["values", "access"],
  review: ["access", "history", "rotation", "values", "deploy", "resolve"],
  resolve: ["values"],
  runtime: ["resolve", "values", "deploy"],
  migrate: ["values", "resolve"],
  provision: ["values", "access", "rotation"],
  deploy: ["values", "access", "resolve"],
  action: ["cli"],
};

/** Folders that may be one level below a capability. */
const deeper = [
  "cli/commands",
  "rotation/rotators",
  "rotation/generators",
  "deploy/targets",
  "review/checks",
  "github/workflows",
  "github/settings",
];
/** Packages that only one folder may import. */
const homes: Readonly<Record<string, string>> = { "simple-git": "git", commander: "cli" };
const rootFiles = ["errors.ts", "index.ts"];
const attics = /(?:^|\/)(?:utils?|helpers?|common|misc)(?:\/|\.ts$)/;
const maxLines = 300;

/**
 * What breaks the architecture in a source tree: path below src to text. One sentence a
 * finding, which begins with the path; empty when there is none.
 */
export function findViolations(sources: ReadonlyMap<string, string>): string[] {
  return [...sources].flatMap(([path, text]) =>
    [...placeFindings(path), ...textFindings(text), ...importFindings(path, text)].map((it) => `${path} ${it}`),
  );
}

function placeFindings(path: string): string[] {
  const parts = path.split("/");
  const [folder = "", below = "", ...deep] = parts;
  const findings: string[] = [];
  if (parts.length === 1 && !rootFiles.includes(path)) findings.push("is not in a capability");
  if (parts.length > 1 && layerOf(folder) < 0) findings.push("is in a folder without a layer");
  if (deep.length > (deeper.includes(`${folder}/${below}`) ? 1 : 0)) findings.push("is too deep");
  if (attics.test(path)) findings.push("is named like an attic");
  if (parts.length > 1 && parts.at(-1) === "index.ts") findings.push("is an index below src");
  if (!/^(?:[a-z0-9-]+\/)*[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/.test(path)) findings.push("is not in kebab-case");
  return findings;
}

function textFindings(text: string): string[] {
  const findings: string[] = [];
  const lines = text.split("\n").length - 1;
  if (lines > maxLines) findings.push(`has ${lines} lines`);
  if (/^export (?:default\b|\{[^}]*\bas default\b)/m.test(text)) findings.push("has a default export");
  if (/(?:oxlint|eslint)-disable(?!.*-- \S)|@ts-(?:ignore|nocheck)/.test(text)) {
    findings.push("silences a rule without a reason");
  }
  return findings;
}

function importFindings(path: string, text: string): string[] {
  return [...text.matchAll(importPattern)].flatMap(({ groups = {} }) => {
    const asked = groups["from"] ?? groups["bare"] ?? groups["lazy"] ?? "";
    const isStatic = groups["lazy"] === undefined && groups["type"] === undefined;
    const finding = asked.startsWith(".")
      ? arrowFinding(path, resolve(path, asked), isStatic)
      : homeFinding(path, asked);
    return finding === undefined ? [] : [finding];
  });
}

const importPattern =
  /^(?:im|ex)port (?<type>type )?[^;"']*?from "(?<from>[^"]+)"|^import "(?<bare>[^"]+)"|\bimport\("(?<lazy>[^"]+)"\)/gm;

function arrowFinding(path: string, target: string, isStatic: boolean): string | undefined {
  const [from, to] = [folderOf(path), folderOf(target)];
  if (target === "errors.ts") return undefined;
  if (path === "errors.ts") return "imports something";
  if (path === "index.ts") return ["cli", "action"].includes(to) ? `imports ${target}, which is no library` : undefined;
  if (target === "index.ts") return "imports the library's front door";
  if (isStatic && target.startsWith("cli/commands/") && !path.startsWith("cli/commands/")) {
    return `imports ${target} at start-up`;
  }
  if (from === to || layerOf(to) < layerOf(from) || sideways[from]?.includes(to)) return undefined;
  return `imports ${target} ${layerOf(to) === layerOf(from) ? "sideways" : "upwards"}`;
}

function homeFinding(path: string, asked: string): string | undefined {
  const home = homes[asked];
  return home === undefined || home === folderOf(path) ? undefined : `imports ${asked}, which belongs to ${home}`;
}

function resolve(path: string, asked: string): string {
  return new URL(asked, `file:///${path}`).pathname.slice(1);
}

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
}

function layerOf(folder: string): number {
  return layers.findIndex((layer) => (layer as readonly string[]).includes(folder));
}
