import { openObjects, type ObjectReader } from "../git/objects.ts";
import { hasGit, type GitPlace } from "../git/place.ts";
import { findHead } from "../git/revision.ts";
import { git } from "../git/run.ts";
import { isSealtreeError } from "../errors.ts";
import { parseAddress, type Address } from "../secret/address.ts";
import { reasonTrailer, rekeyedTrailer, secretTrailer, type WriteReason } from "../store/commit-message.ts";
import { scopeFilePath } from "../store/layout.ts";
import { parseScopeFile } from "../store/scope-file.ts";
import { maxTreeFileBytes } from "../store/tree.ts";
import { auditCodes, type AuditKind } from "./codes.ts";
import type { AuditRecord } from "./event.ts";

const kinds: Readonly<Record<WriteReason, AuditKind>> = {
  manual: "written",
  import: "written",
  rotation: "rotated",
  emergency: "emergencyRotation",
  rollback: "rolledBack",
  rekey: "accessChanged",
  adopt: "written",
  policy: "accessChanged",
  setup: "accessChanged",
};

const format = ["%H", "%cI", "%an", "%ae", "%s", "%(trailers:only=true,unfold=true)"];

/**
 * What the commits reachable from HEAD say was done to secrets, oldest first: one record a
 * secret, or a scope that was sealed again, or the commit where it names neither. They are
 * the words of whoever made the commit; nothing here proves them. Empty without git.
 */
export async function readGitEvents(place: GitPlace): Promise<AuditRecord[]> {
  const head = hasGit(place) ? await findHead(place) : undefined;
  if (head === undefined) return [];
  const output = await git(place, [
    "log",
    "-z",
    "--reverse",
    "--no-show-signature",
    `--grep=^${reasonTrailer}: `,
    `--format=${format.join("%x00")}`,
    head,
    "--",
  ]);
  const fields = output.split("\0");
  const objects = openObjects(place);
  try {
    const records: AuditRecord[] = [];
    for (let index = 0; index + format.length < fields.length; index += format.length) {
      records.push(...(await toRecords(objects, fields.slice(index, index + format.length))));
    }
    return records;
  } finally {
    objects.close();
  }
}

async function toRecords(objects: ObjectReader, fields: readonly string[]): Promise<AuditRecord[]> {
  const [commit = "", date = "", author = "", email = "", subject = "", trailers = ""] = fields;
  const reason = valuesOf(trailers, reasonTrailer).find(isReason);
  if (reason === undefined) return [];
  const common = {
    time: new Date(Date.parse(date) || 0).toISOString(),
    actor: { user: `${author} <${email}>` },
    operation: /^secrets(?:\([^)]*\))?: ([a-z]+)/.exec(subject)?.[1] ?? reason,
    outcome: "ok",
    reason,
    commit,
  };
  const secrets = valuesOf(trailers, secretTrailer).flatMap(findAddress);
  const scopes = valuesOf(trailers, rekeyedTrailer).map((scope) => ({ scope }));
  const about: readonly { scope?: string; name?: string }[] =
    secrets.length + scopes.length === 0 ? [{}] : [...secrets, ...scopes];
  const kept = await readNames(objects, commit, secrets);
  return about.map((what) => {
    const isGone =
      what.name !== undefined && what.scope !== undefined && kept.get(what.scope)?.has(what.name) === false;
    const { code, level } = auditCodes[isGone ? "deleted" : kinds[reason]];
    return { ...common, code, level, ...what };
  });
}

/** The names in the scopes of `secrets` after a commit; nothing of a scope that cannot be read. */
async function readNames(
  objects: ObjectReader,
  commit: string,
  secrets: readonly Address[],
): Promise<Map<string, ReadonlySet<string>>> {
  const names = new Map<string, ReadonlySet<string>>();
  for (const scope of new Set(secrets.map((address) => address.scope))) {
    try {
      const bytes = await objects.readBlob(`${commit}:${scopeFilePath(scope)}`, maxTreeFileBytes);
      names.set(scope, new Set(bytes === undefined ? [] : parseScopeFile(bytes, scope).keys()));
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
    }
  }
  return names;
}

function valuesOf(trailers: string, key: string): string[] {
  return trailers.split("\n").flatMap((line) => (line.startsWith(`${key}: `) ? [line.slice(key.length + 2)] : []));
}

function isReason(text: string): text is WriteReason {
  return Object.hasOwn(kinds, text);
}

function findAddress(text: string): Address[] {
  try {
    return [parseAddress(text)];
  } catch (error) {
    if (isSealtreeError(error)) return [];
    throw error;
  }
}
