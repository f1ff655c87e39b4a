import { SealtreeError } from "../errors.ts";

/** What a commit object says, by its bytes. */
export interface CommitObject {
  /** Full id. */
  readonly tree: string;
  /** Full ids, first parent first. */
  readonly parents: readonly string[];
  readonly committerEmail: string;
  /** First line of the message. */
  readonly subject: string;
  readonly signature: CommitSignature;
  /**
   * Why its signature cannot count, although tree and parents are clear: a header that git does
   * not write, or a byte that hides the rest of the message. Goes on in a sentence.
   */
  readonly flaw: string | undefined;
}

export type CommitSignature =
  | { readonly kind: "none" | "several" | "pgp" | "x509" | "unknown" }
  | {
      readonly kind: "ssh";
      readonly armored: string;
      /** What was signed: the object without its signature header. */
      readonly payload: Uint8Array;
    };

interface Header {
  readonly name: string;
  /** Lines joined by `\n`, without the space that a further line begins with. */
  readonly value: string;
  /** Byte offsets of the header, line break included. */
  readonly start: number;
  readonly end: number;
}

const person = /^[^<>\n]* <([^<>\n]*)> (?:0|[1-9][0-9]{0,17}) [+-][0-9]{4}$/;
const signatureNames = ["gpgsig", "gpgsig-sha256"];
const optional = ["encoding", "mergetag", ...signatureNames];
const begins = {
  ssh: "-----BEGIN SSH SIGNATURE-----\n",
  pgp: "-----BEGIN PGP ",
  x509: "-----BEGIN SIGNED MESSAGE-----\n",
} as const;

/**
 * Reads a commit object: tree, parents, author and committer, each in its place, then nothing but
 * an encoding, tags of what was merged, and signatures. Tools that read objects in other ways than
 * git cannot see another tree or other parents in what passes, and what passes without a flaw has
 * nothing that `git fsck --strict` would name. `idChars` is the length of an id in the repository:
 * with SHA-256 the signature stands under another name. Throws E_OBJECT_INVALID.
 */
export function parseCommitObject(bytes: Uint8Array, idChars: number): CommitObject {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.indexOf("\n\n");
  if (end < 0) throw malformed("it has no end of its headers");
  /** What is still to be read, the next one last. */
  const headers = readHeaders(buffer.toString("latin1", 0, end + 1)).reverse();
  const tree = takeId(headers, "tree", idChars);
  if (tree === undefined) throw malformed("it does not begin with one tree");
  const parents: string[] = [];
  for (let id = takeId(headers, "parent", idChars); id !== undefined; id = takeId(headers, "parent", idChars))
    parents.push(id);
  if (new Set(parents).size !== parents.length) throw malformed("it has one parent twice");
  const [author, committer] = [takePerson(headers, "author"), takePerson(headers, "committer")];
  if (author === undefined || committer === undefined) throw malformed("its author or committer is not in order");
  const repeated = headers.find(({ name }) => ["tree", "parent", "author", "committer"].includes(name));
  if (repeated !== undefined) throw malformed(`it has a second ${repeated.name}`);
  const message = buffer.subarray(end + 2);
  return {
    tree,
    parents,
    committerEmail: committer,
    subject: message.toString("utf8", 0, Math.min(message.length, 400)).split("\n")[0] ?? "",
    signature: readSignature(buffer, headers, idChars === 64 ? "gpgsig-sha256" : "gpgsig"),
    flaw: findFlaw(headers, parents.length, buffer),
  };
}

/** Goes line by line: a pattern over all of them runs out of stack or of time on a header of many megabytes. */
function readHeaders(text: string): Header[] {
  const headers: Header[] = [];
  for (let start = 0; start < text.length;) {
    const space = text.indexOf(" ", start);
    let end = text.indexOf("\n", start);
    if (space <= start || space > end) throw malformed("a line of it is no header");
    while (text[end + 1] === " ") end = text.indexOf("\n", end + 1);
    const value = text.slice(space + 1, end).replaceAll("\n ", "\n");
    headers.push({ name: text.slice(start, space), value, start, end: end + 1 });
    start = end + 1;
  }
  return headers;
}

/** Takes the next header when it is an id under `name`. */
function takeId(headers: Header[], name: string, idChars: number): string | undefined {
  const header = headers.at(-1);
  if (header?.name !== name) return undefined;
  if (header.value.length !== idChars || !/^[0-9a-f]+$/.test(header.value)) throw malformed(`its ${name} is no id`);
  headers.pop();
  return header.value;
}

function takePerson(headers: Header[], name: string): string | undefined {
  const header = headers.pop();
  return header?.name === name ? person.exec(header.value)?.[1] : undefined;
}

function readSignature(buffer: Buffer, headers: readonly Header[], name: string): CommitSignature {
  const [signature, ...others] = headers.filter((header) => signatureNames.includes(header.name));
  if (signature === undefined) return { kind: "none" };
  if (others.length > 0) return { kind: "several" };
  if (signature.name !== name) return { kind: "unknown" };
  const armored = `${signature.value}\n`;
  if (armored.startsWith(begins.pgp)) return { kind: "pgp" };
  if (armored.startsWith(begins.x509)) return { kind: "x509" };
  if (!armored.startsWith(begins.ssh)) return { kind: "unknown" };
  const payload = Buffer.concat([buffer.subarray(0, signature.start), buffer.subarray(signature.end)]);
  return { kind: "ssh", armored, payload };
}

function findFlaw(headers: readonly Header[], parents: number, buffer: Buffer): string | undefined {
  if (headers.some(({ name }) => !optional.includes(name))) return "has a header that git does not write";
  const countOf = (wanted: string) => headers.filter(({ name }) => name === wanted).length;
  if (countOf("encoding") > 1) return "has two encodings";
  if (countOf("mergetag") > Math.max(0, parents - 1)) return "has more merged tags than merged parents";
  return buffer.includes(0) ? "has a NUL byte, behind which git shows nothing" : undefined;
}

function malformed(what: string): SealtreeError {
  return new SealtreeError("E_OBJECT_INVALID", `the commit object is malformed: ${what}`, {
    hints: ["make the commit again with git, and leave this one out of the branch"],
  });
}
