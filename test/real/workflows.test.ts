import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { workflowPaths } from "../../src/github/plan-setup.ts";
import { lintWorkflows, type LintFinding } from "../support/lint-workflows.ts";
import { createSealedRepository } from "../support/repository.ts";
import { lintExceptions, type LintException } from "./workflow-exceptions.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const commit = "3f1c0de4b5a69788796a5b4c3d2e1f0011223344";

/** Every workflow that there is, by a name whose first part says where it comes from. */
async function collect(): Promise<Map<string, string>> {
  return new Map([...ownFiles(), ...(await generated()), ...documented()]);
}

function ownFiles(): [string, string][] {
  const workflows = readdirSync(`${root}.github/workflows`).map((file) => `.github/workflows/${file}`);
  return [...workflows, ".github/dependabot.yml", "action.yml"].map((path) => [
    `own/${path.slice(path.lastIndexOf("/") + 1)}`,
    readFileSync(root + path, "utf8"),
  ]);
}

/** What github-setup writes in each of its modes. */
async function generated(): Promise<[string, string][]> {
  const modes = {
    plain: [],
    deploys: ["--environment", "production=kv", "--environment", "stage.eu"],
    proposes: ["--environment", "production", "--pull-request"],
    app: ["--environment", "production", "--pull-request", "--app", "--gate"],
  };
  const repository = await createSealedRepository();
  const made: [string, string][] = [];
  for (const [mode, options] of Object.entries(modes)) {
    if (mode !== "plain") repository.write("policies/deploy.yaml", deployPolicy);
    const action = `acme/sealtree@${commit} # v0.2.0`;
    await repository.ok(
      ["github-setup", "--repository", "acme/api", "--action", action, "--direct", ...options].filter(
        (option) => option !== "--direct" || !options.includes("--pull-request" as never),
      ),
    );
    for (const path of workflowPaths.filter((file) => existsSync(join(repository.root, file))))
      made.push([`generated-${mode}/${path.slice(path.lastIndexOf("/") + 1)}`, repository.read(path)]);
  }
  return made;
}

const deployPolicy = [
  "targets:",
  "  gh: {kind: github-actions, repository: acme/api, scopes: [prod/api], token: '${env:DEPLOY_TOKEN}'}",
  "  kv: {kind: vault, address: 'https://vault.acme.test', mount: secret, path: api, scopes: [prod/api], auth: {method: jwt, role: deploy, jwt: '${oidc:vault}'}}",
  "",
].join("\n");

/** Blocks of the documentation that are whole workflows. */
function documented(): [string, string][] {
  const pages = readdirSync(`${root}docs`, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".md"),
  );
  return [...pages.map((page) => `docs/${page}`), "README.md"].flatMap((page) => {
    const blocks = [...readFileSync(root + page, "utf8").matchAll(/^```ya?ml\n([\s\S]*?)^```$/gm)];
    const workflows = blocks.flatMap(([, block = ""]) => (/^on:/m.test(block) && /^jobs:/m.test(block) ? [block] : []));
    return workflows.map((text, index): [string, string] => {
      const name = `${page.replace(/\.md$/, "").replaceAll("/", "-")}-${index + 1}`;
      const filled = text.replaceAll("OWNER/sealtree", "acme/sealtree").replaceAll("FULL_COMMIT_ID", commit);
      const file = /^name: *([\w-]+)$/m.exec(filled)?.[1] ?? "workflow";
      return [`${name}/${file}.yml`, filled];
    });
  });
}

function isFor({ tool, finding, file }: LintException, found: LintFinding): boolean {
  const fits = file.endsWith("*") ? found.file.startsWith(file.slice(0, -1)) : found.file.endsWith(file);
  return (
    tool === found.tool && fits && (tool === "zizmor" ? found.finding === finding : found.finding.includes(finding))
  );
}

describe("actionlint and zizmor", () => {
  let files: ReadonlyMap<string, string>;
  let findings: readonly LintFinding[];
  beforeAll(async () => {
    files = await collect();
    findings = await lintWorkflows(files);
  });

  it("see the workflows of this repository, those that github-setup writes, and those of the documentation", () => {
    const count = (start: string) => [...files.keys()].filter((name) => name.startsWith(start)).length;
    expect(count("own/")).toBeGreaterThanOrEqual(6);
    expect(["plain", "deploys", "proposes", "app"].map((mode) => count(`generated-${mode}/`))).toEqual([5, 7, 7, 7]);
    expect(count("docs-action")).toBeGreaterThanOrEqual(4);
  });

  it("find nothing but the exceptions that are listed with their reason", () => {
    expect(findings.filter((found) => !lintExceptions.some((exception) => isFor(exception, found)))).toEqual([]);
  });

  it("still need every exception", () => {
    expect(lintExceptions.filter((exception) => !findings.some((found) => isFor(exception, found)))).toEqual([]);
    for (const { reason } of lintExceptions) expect(reason.length).toBeGreaterThan(40);
  });

  it("find what is wrong: an expression in a script, a tag, kept credentials, too many rights, an unquoted variable", async () => {
    const bad = [
      "name: bad",
      "on: pull_request_target",
      "permissions: write-all",
      "jobs:",
      "  a:",
      "    runs-on: ubuntu-24.04",
      "    steps:",
      "      - uses: actions/checkout@v4",
      "      - run: echo ${{ github.event.pull_request.title }}",
      "      - run: rm $HOME/x $1",
      "      - run: echo ${{ inputs.none }}",
      "",
    ].join("\n");
    const found = await lintWorkflows(new Map([["bad/bad.yml", bad]]));
    const names = found.map(({ tool, finding }) => `${tool} ${finding}`).join("\n");
    for (const name of [
      "artipacked",
      "dangerous-triggers",
      "excessive-permissions",
      "template-injection",
      "unpinned-uses",
    ])
      expect(names).toContain(`zizmor ${name}`);
    expect(names).toMatch(/actionlint shellcheck reported issue/);
    expect(names).toMatch(/actionlint .*potentially untrusted/);
  });
});
