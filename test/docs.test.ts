import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { errorCatalogue, exitCodes, type ExitClass } from "../src/errors.ts";
import { targetKinds } from "../src/deploy/targets/registry.ts";
import { rotatorNames } from "../src/rotation/rotators/registry.ts";
import { findDeadLinks, findDeadPaths, headingsOf } from "./support/markdown.ts";
import { runCli } from "./support/run-cli.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const folders = [".ci", ".github", "bench", "docs", "examples", "policies", "scripts", "secrets", "src", "test"];
const paths = new Set([...readdirSync(root), ...folders.flatMap(listBelow)]);
const pages = new Map(
  [...paths]
    .filter((path) => /^(?:docs\/.*|[^/]*)\.md$/.test(path))
    .map((path) => [path, readFileSync(root + path, "utf8")]),
);

describe("the documentation", () => {
  it("has links that lead somewhere", () => {
    expect(findDeadLinks(pages, paths)).toEqual([]);
  });

  it("names only paths that are there", () => {
    expect(findDeadPaths(pages, paths)).toEqual([]);
  });

  it("has a heading in docs/errors.md for every error code, and for no other", () => {
    const codes = headingsOf(pages.get("docs/errors.md") ?? "").filter((heading) => heading.startsWith("E_"));
    expect(codes.toSorted()).toEqual(Object.keys(errorCatalogue).toSorted());
  });

  it("puts every error code under the exit status that it has", () => {
    let status = 0;
    const documented: [string, number][] = [];
    for (const heading of headingsOf(pages.get("docs/errors.md") ?? "")) {
      status = Number(/: exit ([0-9]+)$/.exec(heading)?.[1] ?? status);
      if (heading.startsWith("E_")) documented.push([heading, status]);
    }
    const classes: readonly [string, ExitClass][] = Object.entries(errorCatalogue);
    expect(new Map(documented)).toEqual(new Map(classes.map(([code, name]) => [code, exitCodes[name]])));
  });

  it("has every folder of src in the tree of docs/architecture.md, and no other", () => {
    const [, tree = ""] = /^```\nsrc\/\n([\s\S]*?)^```$/m.exec(pages.get("docs/architecture.md") ?? "") ?? [];
    const drawn = [...tree.matchAll(/^ {2}([a-z]+)\/ /gm)].map(([, folder = ""]) => folder);
    const folders = readdirSync(`${root}src`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(drawn.toSorted()).toEqual(folders.map(({ name }) => name).toSorted());
  });

  it("has a page and a row for every rotator that changes something at a provider, and for no other", () => {
    const rows = [...(pages.get("docs/rotators.md") ?? "").matchAll(/^\| \[([a-z-]+)\]\(rotators\/([a-z-]+)\.md\)/gm)];
    const withPages = [...paths].flatMap((path) => /^docs\/rotators\/(.*)\.md$/.exec(path)?.[1] ?? []);
    const names = rotatorNames.filter((name) => name !== "generate" && name !== "manual");
    expect(new Set(rows.map(([, name]) => name))).toEqual(new Set(names));
    expect(new Set(withPages)).toEqual(new Set(names));
    for (const [, name, page] of rows) expect(page).toBe(name);
  });

  it("has a page and a row for every kind of target, and for no other", () => {
    const rows = [...(pages.get("docs/targets.md") ?? "").matchAll(/^\| \[([a-z-]+)\]\(targets\/([a-z-]+)\.md\)/gm)];
    const withPages = [...paths].flatMap((path) => /^docs\/targets\/(.*)\.md$/.exec(path)?.[1] ?? []);
    expect(new Set(rows.map(([, kind]) => kind))).toEqual(new Set(targetKinds));
    expect(new Set(withPages.filter((page) => page !== "sql-format"))).toEqual(new Set(targetKinds));
    for (const [, kind, page] of rows) expect(page).toBe(kind);
  });

  it("lists the exit statuses that there are", () => {
    const rows = [...(pages.get("docs/errors.md") ?? "").matchAll(/^\| ([0-9]+) \| [a-z ]+ \|/gm)];
    expect(rows.map(([, status]) => Number(status))).toEqual(Object.values(exitCodes));
  });

  it("gives a reason for every dependency, and for no other", () => {
    const listed = [...(pages.get("docs/dependencies.md") ?? "").matchAll(/^\| `([^`]+)` \|/gm)].map(
      ([, name]) => name,
    );
    const { dependencies, devDependencies } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
    expect(listed).toEqual([...Object.keys(dependencies), ...Object.keys(devDependencies)]);
  });

  it("has the reference that the commands give; npm run docs writes it", async () => {
    const { stdout } = await runCli(["__docs"], { cwd: root, env: {} });
    expect(pages.get("docs/commands.md")).toBe(stdout);
  });

  it("says of every command what it does, with a sentence for each option", async () => {
    const { stdout } = await runCli(["__docs"], { cwd: root, env: {} });
    expect(headingsOf(stdout).filter((heading) => heading.startsWith("sealtree ")).length).toBeGreaterThan(20);
    expect(stdout).not.toMatch(/\|\s+\|$/m);
  });
});

describe("findDeadLinks", () => {
  const read =
    "# Read me\n[a](docs/a.md#the-a-page) [b](https://example.test/x) [c](#read-me)\n```\n[d](gone.md)\n```\n";
  const page = "# The `A` page\n[up](../README.md)\n";

  it("accepts links to files, headings and other sites, and skips code", () => {
    const both = new Map([
      ["README.md", read],
      ["docs/a.md", page],
    ]);
    expect(findDeadLinks(both, new Set(both.keys()))).toEqual([]);
  });

  it("finds a link to a missing file", () => {
    expect(findDeadLinks(new Map([["docs/a.md", page]]), new Set(["docs/a.md"]))).toEqual([
      "docs/a.md links to README.md, which is not there",
    ]);
  });

  it("finds a link to a missing heading", () => {
    const both = new Map([
      ["README.md", read],
      ["docs/a.md", "# Another page\n"],
    ]);
    expect(findDeadLinks(both, new Set(both.keys()))).toEqual([
      "README.md links to docs/a.md#the-a-page, which has no such heading",
    ]);
  });
});

describe("findDeadPaths", () => {
  it("finds a path in backticks that is not there, and accepts one that is", () => {
    const text = "see `src/errors.ts`, `src/secret/` and `src/gone.ts`";
    expect(findDeadPaths(new Map([["a.md", text]]), new Set(["src/errors.ts", "src/secret"]))).toEqual([
      "a.md names src/gone.ts, which is not there",
    ]);
  });
});

function listBelow(folder: string): string[] {
  if (!existsSync(root + folder)) return [];
  const below = readdirSync(root + folder, { recursive: true, encoding: "utf8" });
  return [folder, ...below.map((path) => `${folder}/${path.replaceAll("\\", "/")}`)];
}
