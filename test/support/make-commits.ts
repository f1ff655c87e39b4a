import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import type { TestRepository } from "./repository.ts";
import type { SignOptions, TestSigner } from "./ssh-signers.ts";

/** A file by its text, or what is rarer: another mode, or the id of an object. */
export type MadeFile = string | { readonly mode: string; readonly text: string };

export interface MadeSignedCommit {
  /** Ids of earlier commits. */
  readonly parents?: readonly string[];
  /** The whole tree, by path. */
  readonly files: Readonly<Record<string, MadeFile>>;
  readonly message?: string;
  readonly signer?: TestSigner;
  readonly signing?: SignOptions;
  /** Seconds since 1970. */
  readonly at?: number;
  readonly committer?: string;
  /** Header lines after the committer, as they are to stand in the object. */
  readonly headers?: string;
  /** Changes the object before it is signed. */
  readonly shape?: (unsigned: string) => string;
  /** Changes the object after it was signed. */
  readonly tamper?: (signed: string) => string;
}

/** Makes commits as git would find them, in memory; nothing is there for git before {@link CommitMaker.write}. */
export interface CommitMaker {
  /** The id of a new commit. */
  commit(commit: MadeSignedCommit): string;
  /** Gives all commits to git, in one pack, and makes `branch` name `tip`. */
  write(tip: string, branch?: string): void;
}

interface Folder {
  readonly files: Map<string, { readonly mode: string; readonly id: string }>;
  readonly folders: Map<string, Folder>;
}

const types = { commit: 1, tree: 2, blob: 3 } as const;

/** A maker of thousands of commits a second: it hashes and signs by itself, and runs git once. */
export function createCommitMaker(repository: TestRepository): CommitMaker {
  const objects = new Map<string, { readonly type: keyof typeof types; readonly bytes: Uint8Array }>();
  const add = (type: keyof typeof types, bytes: Uint8Array): string => {
    const id = createHash("sha1").update(`${type} ${bytes.length}\0`).update(bytes).digest("hex");
    if (!objects.has(id)) objects.set(id, { type, bytes });
    return id;
  };
  const blobs = new Map<string, string>();
  const addBlob = (text: string): string => {
    const id = blobs.get(text) ?? add("blob", Buffer.from(text));
    blobs.set(text, id);
    return id;
  };
  const addTree = ({ files, folders }: Folder): string => {
    const items = [
      ...[...files].map(([name, item]) => ({ key: name, name, ...item })),
      ...[...folders].map(([name, folder]) => ({ key: `${name}/`, name, mode: "40000", id: addTree(folder) })),
    ].sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    const parts = items.flatMap(({ mode, name, id }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(id, "hex")]);
    return add("tree", Buffer.concat(parts));
  };
  return {
    commit({ parents = [], files, message = "test", signer, signing, at = 1_700_000_000, ...rest }) {
      const tree = addTree(toFolder(files, addBlob));
      const committer = `${rest.committer ?? "Test <test@example.test>"} ${at} +0000`;
      const heads = [`tree ${tree}`, ...parents.map((id) => `parent ${id}`), `author ${committer}`];
      const plain = `${heads.join("\n")}\ncommitter ${committer}\n${rest.headers ?? ""}\n${message}\n`;
      const unsigned = rest.shape?.(plain) ?? plain;
      const signed =
        signer === undefined ? unsigned : insertSignature(unsigned, signer.sign(Buffer.from(unsigned), signing));
      return add("commit", Buffer.from(rest.tamper?.(signed) ?? signed));
    },
    write(tip, branch = "main") {
      if (objects.size === 0) {
        repository.git("update-ref", `refs/heads/${branch}`, tip);
        return;
      }
      const options = { cwd: repository.root, env: { PATH: process.env["PATH"], ...repository.env } };
      execFileSync("git", ["index-pack", "--stdin"], {
        ...options,
        input: printPack([...objects.values()]),
        stdio: ["pipe", "ignore", "pipe"],
      });
      repository.git("update-ref", `refs/heads/${branch}`, tip);
      objects.clear();
    },
  };
}

/** The object with a signature where git puts it: at the end of the headers. */
function insertSignature(unsigned: string, armored: string): string {
  const end = unsigned.indexOf("\n\n") + 1;
  const header = `gpgsig ${armored.trimEnd().replaceAll("\n", "\n ")}\n`;
  return unsigned.slice(0, end) + header + unsigned.slice(end);
}

function toFolder(files: Readonly<Record<string, MadeFile>>, addBlob: (text: string) => string): Folder {
  const root: Folder = { files: new Map(), folders: new Map() };
  for (const [path, file] of Object.entries(files)) {
    const { mode, text } = typeof file === "string" ? { mode: "100644", text: file } : file;
    const parts = path.split("/");
    const name = parts.pop() ?? "";
    let folder = root;
    for (const part of parts) {
      const below = folder.folders.get(part) ?? { files: new Map(), folders: new Map() };
      folder.folders.set(part, below);
      folder = below;
    }
    folder.files.set(name, { mode, id: addBlob(text) });
  }
  return root;
}

/** A pack file of whole objects (gitformat-pack(5)). */
function printPack(objects: readonly { readonly type: keyof typeof types; readonly bytes: Uint8Array }[]): Buffer {
  const head = Buffer.from("PACK\0\0\0\u0002\0\0\0\0", "latin1");
  head.writeUInt32BE(objects.length, 8);
  const body = objects.flatMap(({ type, bytes }) => [
    printSize(types[type], bytes.length),
    deflateSync(bytes, { level: 1 }),
  ]);
  const pack = Buffer.concat([head, ...body]);
  return Buffer.concat([pack, createHash("sha1").update(pack).digest()]);
}

function printSize(type: number, size: number): Buffer {
  const bytes: number[] = [];
  let [byte, rest] = [(type << 4) | (size & 0x0f), size >> 4];
  while (rest > 0) {
    bytes.push(byte | 0x80);
    [byte, rest] = [rest & 0x7f, rest >> 7];
  }
  return Buffer.from([...bytes, byte]);
}
