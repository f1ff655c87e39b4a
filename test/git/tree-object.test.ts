import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { hasCode } from "../../src/errors.ts";
import { parseTreeObject, type TreeItem } from "../../src/git/tree-object.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";
import { mutations, pieceMutations, type Mutation } from "./mutated-bytes.ts";

const id = "\u0011".repeat(20);
const item = (mode: string, name: string) => `${mode} ${name}\0${id}`;
const oddNames = [".git", ".GIT", ".", "..", "", "secrets/dev/app.yaml", "a/", "/a", "\u00ff", "sec rets", "Secrets"];
const modes = ["40000", "100644", "100755", "120000", "160000"];
const oddModes = [
  "040000",
  "0100644",
  "100664",
  "100600",
  "140000",
  "10644",
  "0",
  "",
  "-1",
  "100844",
  "4000000000040000",
];
/** Each item by itself: ids have no NUL here, and names have none ever. */
const items = (text: string) => text.split(/(?<=\0[^]{20})/);
const inserted = fc.oneof(
  fc.constantFrom("\0", "\r", "\n", " ", "/", "..", "0", "\u0080"),
  fc
    .tuple(fc.constantFrom(...modes, ...oddModes), fc.constantFrom("a", "zz", "secrets", ...oddNames))
    .map(([mode, name]) => item(mode, name)),
);
const mutated: fc.Arbitrary<Mutation> = mutations(
  inserted,
  pieceMutations(items),
  fc.tuple(fc.nat(5), inserted).map(
    ([index, what]): Mutation =>
      (text) =>
        items(text).toSpliced(index, 0, what).join(""),
  ),
  fc.tuple(fc.nat(5), fc.constantFrom(...modes, ...oddModes)).map(([index, mode]): Mutation => (text) => {
    const all = items(text);
    return all.with(index % all.length, (all[index % all.length] ?? "").replace(/^[0-9]*/, mode)).join("");
  }),
  fc
    .tuple(fc.nat(5), fc.constantFrom(...oddNames, "b", "README", "secrets"))
    .map(([index, name]): Mutation => (text) => {
      const all = items(text);
      return all.with(index % all.length, (all[index % all.length] ?? "").replace(/ [^\0]*/, ` ${name}`)).join("");
    }),
);

const names = ["a", "a.b", "a0", "b", "B", "README", "policies", "secrets", "secrets.x", "sec rets", "\u00c3\u00a9"];
/** Trees of a few items, mostly in order. */
const built: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(
      fc.tuple(
        fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...modes) }, fc.constantFrom(...oddModes)),
        fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...names) }, fc.constantFrom(...oddNames)),
      ),
      { maxLength: 5 },
    ),
    fc.integer({ max: 9, min: 0 }),
  )
  .map(([all, luck]) => {
    const keyOf = ([mode, name]: readonly [string, string]) => (/^0?40000$/.test(mode) ? `${name}/` : name);
    const sorted = luck === 0 ? all : all.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    return sorted.map(([mode, name]) => item(mode, name)).join("");
  });

let repository: TestRepository;
/** Trees that git itself made, as latin1 text. */
let made: readonly string[];

type Items = ReadonlyMap<string, TreeItem>;

/** The items, or undefined when the tree is refused as it should be. */
function parse(text: string, isWanted?: (name: string) => boolean): Items | undefined {
  try {
    return parseTreeObject(Buffer.from(text, "latin1"), 40, isWanted);
  } catch (error) {
    if (hasCode(error, "E_OBJECT_INVALID")) return undefined;
    throw error;
  }
}

function git(args: readonly string[], input?: Uint8Array): Buffer {
  const env = { PATH: process.env["PATH"] ?? "", ...repository.env };
  return execFileSync("git", args, { cwd: repository.root, env, input, stdio: "pipe", maxBuffer: 1 << 28 });
}

/** Puts the trees where git reads them, whatever they are; gives their ids. */
function write(texts: readonly string[]): string[] {
  const folder = join(repository.home, "objects");
  mkdirSync(folder, { recursive: true });
  const files = texts.map((text, index) => {
    const file = join(folder, `${index}`);
    writeFileSync(file, text, "latin1");
    return file;
  });
  const args = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin-paths"];
  return git(args, Buffer.from(`${files.join("\n")}\n`))
    .toString()
    .trim()
    .split("\n");
}

/** What git lists in each tree, as `mode id name`; all of them in one process, below one root. */
function listWithGit(trees: readonly string[]): string[][] {
  const folderOf = (index: number) => `t${String(index).padStart(6, "0")}`;
  const root = trees.map((tree, index) => `40000 ${folderOf(index)}\0${Buffer.from(tree, "hex").toString("latin1")}`);
  const [rootId = ""] = write([root.join("")]);
  const lists = trees.map((): string[] => []);
  // As many arguments as a command may have.
  for (let start = 0; start < trees.length; start += 5000) {
    const folders = trees.slice(start, start + 5000).map((_tree, index) => `${folderOf(start + index)}/`);
    for (const line of git(["ls-tree", "-z", rootId, ...folders])
      .toString("latin1")
      .split("\0")) {
      const [, mode = "", object = "", index = "", name = ""] = /^(\d+) \w+ (\w+)\tt(\d{6})\/([^]*)$/.exec(line) ?? [];
      if (mode !== "") lists[Number(index)]?.push(`${mode.replace(/^0/, "")} ${object} ${name}`);
    }
  }
  return lists;
}

/** As git shows them: it takes what it once wrote for shared files as what it writes now. */
function print(all: Items): string[] {
  return [...all].map(([name, { mode, id: object }]) => `${mode === "100664" ? "100644" : mode} ${object} ${name}`);
}

beforeAll(() => {
  repository = createRepository();
  for (const path of ["README", "a", "a.b", "a0", "secrets/dev/app.yaml", "secrets/dev.yaml", "secrets/\u00e9 x.yaml"])
    repository.write(path === "a" ? "a/file" : path, `${path}\n`);
  repository.git("add", "-A");
  repository.git("update-index", "--chmod=+x", "README");
  repository.git("commit", "--quiet", "-m", "test");
  const trees = ["HEAD^{tree}", "HEAD:secrets", "HEAD:secrets/dev"];
  made = trees.map((tree) => git(["cat-file", "tree", tree]).toString("latin1"));
});

describe("parseTreeObject", () => {
  it("takes what git makes", () => {
    expect(made.map((text) => [...(parse(text)?.keys() ?? [])])).toEqual([
      ["README", "a.b", "a", "a0", "secrets"],
      ["dev.yaml", "dev", "\u00c3\u00a9 x.yaml"],
      ["app.yaml"],
    ]);
  });

  it.each([
    ["a name with a slash", item("100644", "secrets/dev.yaml")],
    ["a name with a slash that is not wanted", item("100644", "x/dev.yaml")],
    ["a name that is the folder itself", item("40000", ".")],
    ["a name that is the folder above", item("40000", "..")],
    ["git's own folder", item("40000", ".Git")],
    ["no name", item("100644", "")],
    ["a mode that is none", item("1006x4", "a")],
    ["no mode", item("", "a")],
    ["an item that is cut off", item("100644", "a").slice(0, -1)],
    ["an item out of order", item("100644", "b") + item("100644", "a")],
    ["a folder where a file of that name would stand", item("40000", "a") + item("100644", "a.b")],
    ["a folder of an old mode where a file of that name would stand", item("040000", "a") + item("100644", "a.b")],
    ["an item twice", item("100644", "a") + item("100644", "a")],
  ])("refuses %s, whether or not it is asked for", (_what, text) => {
    expect([parse(text), parse(text, () => false)]).toEqual([undefined, undefined]);
  });

  it.each([
    [
      "an item as file and as folder",
      item("100644", "secrets") + item("100644", "secrets.a") + item("40000", "secrets"),
    ],
    ["a mode of old tools", item("040000", "secrets")],
    ["a socket", item("140000", "secrets")],
    ["an item without an id", `40000 secrets\0${"\0".repeat(20)}`],
  ])("refuses %s where it is asked for, and lets it stand elsewhere", (_what, text) => {
    expect([parse(text), parse(text, (name) => name === "secrets")]).toEqual([undefined, undefined]);
    expect(parse(text, (name) => name === "policies")).toEqual(new Map());
  });

  it("says of any bytes what they are, or refuses them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(made.length - 1), mutated, (bytes, index, mutate) => {
        parse(Buffer.from(bytes).toString("latin1"));
        parse(mutate(made[index] ?? ""));
      }),
      { numRuns: 2000 },
    );
  });

  it("lists what git lists, and takes nothing that git fsck names", () => {
    const samples = fc.sample(fc.tuple(fc.nat(made.length - 1), mutated, built), { numRuns: 1500, seed: 4 });
    const changed = samples.flatMap(([index, mutate, tree]) => [mutate(made[index] ?? ""), tree, mutate(tree)]);
    const texts = [...new Set([...made, ...changed])];
    const isWanted = (name: string) => ["secrets", "policies"].includes(name);
    const [whole, part] = [undefined, isWanted].map((wanted) =>
      texts.flatMap((text) => {
        const found = parse(text, wanted);
        return found === undefined ? [] : [{ text, found }];
      }),
    );
    if (whole === undefined || part === undefined) throw new Error("nothing was parsed");
    expect([whole.length > 400, part.length > whole.length, texts.length - part.length > 300]).toEqual([
      true,
      true,
      true,
    ]);
    const ids = write(whole.map(({ text }) => text));
    expect(whole.map(({ found }) => print(found))).toEqual(listWithGit(ids));
    const named = findFsckNames();
    const shared = whole.map(({ found }) => [...found.values()].some(({ mode }) => mode === "100664"));
    expect(ids.filter((tree, index) => named.has(tree) && shared[index] === false)).toEqual([]);
    // Of a part, git lists no more in it, whatever stands beside it.
    const listed = listWithGit(write(part.map(({ text }) => text)));
    const ours = listed.map((list) =>
      list.filter((line) => isWanted(line.split(" ").slice(2).join(" ").split("/")[0] ?? "")),
    );
    expect(part.map(({ found }) => print(found))).toEqual(ours);
  });
});

/** The trees of which `git fsck --strict` says something; that it misses objects is no matter. */
function findFsckNames(): ReadonlySet<string> {
  const script = "git fsck --strict --no-dangling --full 2>&1; true";
  const { root, env } = repository;
  const output = execFileSync("sh", ["-c", script], {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return new Set(
    [...output.matchAll(/^(?:error|warning) in tree ([0-9a-f]{40}): \w+: /gm)].map(([, tree = ""]) => tree),
  );
}
