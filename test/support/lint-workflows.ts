import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { makeThrowAway } from "./throw-away.ts";

/** What a linter says of a file. */
export interface LintFinding {
  readonly tool: "actionlint" | "zizmor";
  /** As it was given. */
  readonly file: string;
  readonly line: number;
  /** The audit of zizmor, or actionlint's message. */
  readonly finding: string;
}

const actionlintOutput = z.array(z.object({ message: z.string(), filepath: z.string(), line: z.int() }));
const zizmorOutput = z.array(
  z.object({
    ident: z.string(),
    locations: z.array(
      z.object({
        symbolic: z.object({ key: z.object({ Local: z.object({ verbatim_path: z.string() }) }) }),
        concrete: z.object({ location: z.object({ start_point: z.object({ row: z.int() }) }) }),
      }),
    ),
  }),
);

/**
 * What actionlint (with shellcheck) and zizmor (pedantic, offline) say of files: name to text. A name is a path,
 * in which `action.yml` and `dependabot.yml` are what they are on GitHub, and everything else is a workflow.
 */
export async function lintWorkflows(files: ReadonlyMap<string, string>): Promise<LintFinding[]> {
  const root = makeThrowAway("sealtree-lint-");
  const names = new Map<string, string>();
  for (const [name, text] of files) {
    // zizmor tells what a file is by where it stands.
    const isWorkflow = !/(?:^|\/)(?:action|dependabot)\.yml$/.test(name);
    const folder = isWorkflow ? `${dirname(name)}/.github/workflows` : `${dirname(name)}/.github`;
    const path = join(root, folder, name.slice(name.lastIndexOf("/") + 1));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    names.set(path, name);
  }
  const paths = [...names.keys()];
  const workflows = paths.filter((path) => path.includes("/workflows/"));
  const nameOf = (path: string) => names.get(path) ?? path;
  const [syntax, security] = await Promise.all([
    run("actionlint", ["-shellcheck", "shellcheck", "-pyflakes", "", "-format", "{{json .}}", ...workflows]),
    run(
      "zizmor",
      ["--offline", "--pedantic", "--no-ignores", "--strict-collection", "--no-progress", "--quiet"].concat([
        "--format",
        "json-v1",
        "--no-exit-codes",
        ...paths,
      ]),
    ),
  ]);
  return [
    ...actionlintOutput.parse(JSON.parse(syntax)).map(({ message, filepath, line }) => ({
      tool: "actionlint" as const,
      file: nameOf(filepath),
      line,
      finding: message,
    })),
    ...zizmorOutput.parse(JSON.parse(security)).map(({ ident, locations: [at] }) => ({
      tool: "zizmor" as const,
      file: nameOf(at?.symbolic.key.Local.verbatim_path ?? ""),
      line: (at?.concrete.location.start_point.row ?? 0) + 1,
      finding: ident,
    })),
  ];
}

/** Standard output of a linter: findings are data, also where they end it with 1. Throws for any other end. */
async function run(program: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, args, { maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (code === 1 && stdout !== undefined && stdout !== "") return stdout;
    throw new Error(`${program} ended with ${String(code)}\n${stderr ?? ""}`, { cause: error });
  }
}
