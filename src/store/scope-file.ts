import { SealtreeError } from "../errors.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import { maxRecordChars } from "../crypto/record.ts";
import { isDrop, maxDropChars } from "../crypto/sealed-header.ts";
import { isSecretName, type ScopePath, type SecretName } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import { scopeFilePath } from "./layout.ts";
import { parseScalar, printScalar } from "./yaml-scalar.ts";

/** One secret in a scope file: its sealed record and the comment lines right above it. */
export interface ScopeEntry {
  /** A record, or a drop in its place ({@link isDrop}); `readSealedHeader` tells what can be read of either. */
  readonly record: string;
  /** Lines without their `#`, exactly as written. */
  readonly comments: readonly string[];
  /** One-based line of the record; 0 for an entry that was not read from a file. */
  readonly line: number;
}

export type ScopeEntries = ReadonlyMap<SecretName, ScopeEntry>;

/** Largest scope file, in bytes. */
const maxScopeFileBytes = 4 * 1024 * 1024;
/** Most records in a scope. */
const maxScopeRecords = 10_000;

const formatLine = "$sealtree: 1";
const recordLine = /^("?[A-Za-z_][A-Za-z0-9_.-]*"?): (st1d?\.[A-Za-z0-9_-]+)$/;
// Control characters, line breaks of YAML 1.1 (NEL, LS, PS), BOM and bidirectional overrides.
// oxlint-disable-next-line no-control-regex -- the point is to refuse them
const unfitComment = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const conflictMarker = /^(?:<{7}|={7}|>{7}|\|{7})(?: |$)/;

/**
 * Reads a scope file (docs/format.md, Scope file): a strict subset of YAML, any order of
 * records. Throws E_SCOPE_MALFORMED, E_SCOPE_MOVED or E_CONFLICT_MARKERS with the line,
 * never with what stands there. Records are checked in shape only; opening them checks the rest.
 */
export function parseScopeFile(bytes: Uint8Array, scope: ScopePath): ScopeEntries {
  const file = scopeFilePath(scope);
  const malformed = (line: number, what: string, ...hints: string[]) =>
    new SealtreeError("E_SCOPE_MALFORMED", `${file}:${line}: ${what}`, { file, line, hints });
  if (bytes.length > maxScopeFileBytes) throw malformed(1, "the file is larger than 4 MiB");
  const lines = decodeUtf8(bytes)?.split("\n");
  if (lines === undefined) throw malformed(1, "the file is not UTF-8");
  const conflict = lines.findIndex((line) => conflictMarker.test(line));
  if (conflict >= 0) {
    const name = lines
      .slice(conflict)
      .map((line) => recordLine.exec(line)?.[1])
      .find((found) => found !== undefined);
    const around = name === undefined ? "" : ` around ${name}`;
    throw new SealtreeError("E_CONFLICT_MARKERS", `${file}:${conflict + 1}: the file has conflict markers${around}`, {
      file,
      line: conflict + 1,
      hints: [
        "take a side: sealtree resolve",
        "or keep one record of each secret and remove the marker lines, then git add the file",
      ],
    });
  }
  if (lines[0] !== formatLine)
    throw malformed(
      1,
      "the first line is not $sealtree: 1",
      `if it is plaintext, move it out of the repository, then seal it: sealtree encrypt FILE --scope ${scope}`,
      "if a newer sealtree wrote it, update this one",
    );
  checkScopeLine(lines[1] ?? "", scope, file);
  if (lines.at(-1) !== "") throw malformed(lines.length, "the last line does not end");
  const entries = new Map<SecretName, ScopeEntry>();
  let comments: string[] = [];
  for (let index = 2; index < lines.length - 1; index++) {
    const text = lines[index] ?? "";
    const line = index + 1;
    if (text.startsWith("#")) {
      if (unfitComment.test(text)) throw malformed(line, "the comment has a control character");
      comments.push(text.slice(1));
      continue;
    }
    if (text === "") {
      if (comments.length > 0) throw malformed(line, "a comment must stand right above a secret");
      continue;
    }
    const { name, record } = parseRecordLine(text, (what, ...hints) => malformed(line, what, ...hints));
    if (entries.has(name)) throw malformed(line, `${name} stands here twice`, "keep one of the two lines");
    if (entries.size >= maxScopeRecords) throw malformed(line, "the scope has more than 10,000 secrets");
    entries.set(name, { record, comments, line });
    comments = [];
  }
  if (comments.length > 0) throw malformed(lines.length - 1, "a comment must stand right above a secret");
  return entries;
}

/**
 * The one way a scope is written: two head lines, then each record after a blank line and
 * its comments, sorted bytewise by name. Throws E_VALUE_TOO_LARGE when it would not be read back.
 */
export function printScopeFile(scope: ScopePath, entries: ScopeEntries): string {
  if (entries.size > maxScopeRecords) {
    throw new SealtreeError("E_VALUE_TOO_LARGE", `the scope ${scope} would have more than 10,000 secrets`, {
      hints: ["split it in two scopes"],
    });
  }
  const parts = [`${formatLine}\n$scope: ${printScalar(scope)}\n`];
  for (const [name, entry] of [...entries].sort(([a], [b]) => compareText(a, b))) {
    parts.push("\n", ...entry.comments.map((comment) => `#${comment}\n`), `${printScalar(name)}: ${entry.record}\n`);
  }
  const text = parts.join("");
  if (Buffer.byteLength(text) > maxScopeFileBytes) {
    const hasDrops = [...entries.values()].some(({ record }) => isDrop(record));
    throw new SealtreeError("E_VALUE_TOO_LARGE", `the file of scope ${scope} would be larger than 4 MiB`, {
      hints: [
        ...(hasDrops ? [`drops are long, and records of them are not: sealtree adopt ${scope}`] : []),
        "split it in two scopes",
      ],
    });
  }
  return text;
}

/** True when `comment` may stand after a `#` in a scope file. */
export function isComment(comment: string): boolean {
  return !unfitComment.test(comment);
}

function checkScopeLine(text: string, scope: ScopePath, file: string): void {
  const sealedFor = /^\$scope: ("?[a-z0-9/_-]+"?)$/.exec(text)?.[1];
  const written = sealedFor === undefined ? undefined : parseScalar(sealedFor);
  if (written === scope) return;
  if (written === undefined) {
    throw new SealtreeError("E_SCOPE_MALFORMED", `${file}:2: the second line is not $scope: ${scope}`, {
      file,
      line: 2,
    });
  }
  throw new SealtreeError("E_SCOPE_MOVED", `sealed for ${written}, found at ${scope}`, {
    file,
    line: 2,
    hints: [`move it back to secrets/${written}.yaml; to give secrets another scope, use sealtree mv or sealtree cp`],
  });
}

type Malformed = (what: string, ...hints: string[]) => SealtreeError;

function parseRecordLine(text: string, malformed: Malformed): { name: SecretName; record: string } {
  const match = recordLine.exec(text);
  const [, written, record] = match ?? [];
  if (written === undefined || record === undefined)
    throw malformed("the line is not a sealed record", ...sealHints(text));
  if (record.length > (isDrop(record) ? maxDropChars : maxRecordChars)) throw malformed("the record is too long");
  const name = parseScalar(written);
  if (name === undefined || !isSecretName(name)) {
    throw malformed(
      "the name is not written as sealtree writes it",
      "a name that YAML reads as a boolean or null stands in double quotes",
    );
  }
  return { name, record };
}

function sealHints(text: string): string[] {
  return /^"?[A-Za-z_][A-Za-z0-9_.-]*"?:/.test(text)
    ? ["if this is a plaintext value: take it out, change it at its provider, and use sealtree set"]
    : ["take the line from an earlier commit: git log -p -- FILE"];
}
