import { resolve } from "node:path";
import { isScopePattern, matchesPatterns } from "../../access/scope-pattern.ts";
import type { Identity } from "../../crypto/identity.ts";
import { exitCodes, hasCode, SealtreeError } from "../../errors.ts";
import { hasGit } from "../../git/place.ts";
import { findHead } from "../../git/revision.ts";
import { openOwnValues, type OwnValues } from "../../review/own-values.ts";
import { parseHistoryRange, scan as scanFor, type ScanSource } from "../../review/scan.ts";
import { collectWanted, defaultMinBytes } from "../../review/wanted-values.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { chooseFindingFormat } from "../finding-format.ts";
import { requireHistory } from "../load-exposure.ts";
import { printScan, scanProgress } from "../print-scan.ts";

type Options = Readonly<Record<string, unknown>>;

const mostMinBytes = 1024;
const leastMinBytes = 4;

export const scan: CommandModule = {
  arguments: "[paths...]",
  kind: "plain",
  description:
    "Looks for your own sealed values, and for what looks like a token of a known provider: in the files of the work tree, in given files and folders, in what is staged, or in the whole history. It never shows what it finds, and writes it nowhere. Opens the values that your identity opens; without one it looks for token shapes only. Exits with 1 when it finds something. docs/scan.md says how values are found, and what is not.",
  options: [
    { flags: "--staged", description: "search what is staged for the next commit" },
    { flags: "--history [range]", description: "search every content of the history, or of A..B, once" },
    { flags: "--ignored", description: "search the files that git ignores too" },
    { flags: "--scope <pattern>", description: "look for the values of these scopes only, such as prod/**" },
    { flags: "--all-versions", description: "look for the values of earlier versions too" },
    { flags: "--min-length <bytes>", description: "pass over shorter values; 8 without" },
    { flags: "--exclude <glob...>", description: "leave files out, such as '*.map' or vendor/" },
    { flags: "--format <format>", description: "text, github for annotations in a workflow, json or sarif" },
    { flags: "--sarif", description: "the same as --format sarif" },
  ],
  examples: [
    { command: "sealtree scan", description: "the work tree, before a commit" },
    { command: "sealtree scan dist/ --scope 'prod/**'", description: "what a build took in" },
    { command: "sealtree scan --history --all-versions", description: "everything that was ever committed" },
    { command: "sealtree scan --history origin/main..HEAD --format github", description: "on a pull request" },
  ],
  json: '{"findings": [{"kind": "own-value"|"token", "rule", "addresses": [address], "encoding"|null, "file", "line"|null, "column"|null, "commit": id|null, "committed_at"|null, "hint"}], "more": number, "allowed": number, "source": "work tree"|"paths"|"index"|"history", "files": number, "bytes": number, "values": number, "passed_over": number, "token_shapes": number, "opened": [scope], "closed": [scope], "problems": [text], "unread": [{"file", "why"}]}',
  async run(context, paths, options) {
    context.about({ operation: "scan" });
    const format = chooseFindingFormat(context, options);
    const minBytes = parseMinBytes(options["minLength"]);
    const source = await chooseSource(context, paths, options);
    const own = await openValues(context, options);
    const wanted = collectWanted(own?.values ?? [], minBytes);
    const excludes = Array.isArray(options["exclude"]) ? options["exclude"].map(String) : [];
    const progress = scanProgress(context);
    let found;
    try {
      found = await scanFor({ place: context.place(), source, wanted, excludes, onProgress: progress.show });
    } finally {
      progress.end();
    }
    printScan(context, { found, own, wanted, source, minBytes }, format);
    return found.findings.length > 0 ? exitCodes.found : exitCodes.ok;
  },
};

function parseMinBytes(given: unknown): number {
  if (given === undefined) return defaultMinBytes;
  const bytes = typeof given === "string" && /^[0-9]{1,4}$/.test(given) ? Number(given) : 0;
  if (bytes >= leastMinBytes && bytes <= mostMinBytes) return bytes;
  throw new SealtreeError("E_USAGE", `--min-length takes a number from ${leastMinBytes} to ${mostMinBytes}`, {
    hints: ["shorter values stand everywhere"],
  });
}

async function chooseSource(context: Context, paths: readonly string[], options: Options): Promise<ScanSource> {
  const { staged, history, ignored } = options;
  const asked = [staged === true, history !== undefined, paths.length > 0].filter(Boolean).length;
  if (asked > 1 || (asked > 0 && ignored === true)) {
    throw new SealtreeError("E_USAGE", "there is one thing to search at a time", {
      hints: [
        "give paths, --staged, --history, or --ignored with the work tree; ignored files below a path are searched",
      ],
    });
  }
  if (paths.length > 0) return { kind: "paths", targets: paths.map((path) => resolve(context.directory, path)) };
  if (staged === true) {
    requireHistory(context);
    return { kind: "index" };
  }
  if (history === undefined) return { kind: "work tree", withIgnored: ignored === true };
  const place = requireHistory(context);
  if (typeof history === "string") return { kind: "history", part: await parseHistoryRange(place, history) };
  const from = await findHead(place);
  return { kind: "history", part: from === undefined ? undefined : { from, without: undefined, allRefs: true } };
}

/** The values to look for; undefined without an identity, which is said. */
async function openValues(context: Context, options: Options): Promise<OwnValues | undefined> {
  const { scope: pattern, allVersions } = options;
  if (typeof pattern === "string" && !isScopePattern(pattern))
    throw new SealtreeError("E_USAGE", "that is not a scope pattern", { hints: ["such as prod/** or prod/api"] });
  const place = context.place();
  const from = allVersions === true && hasGit(place) ? await findHead(place) : undefined;
  const identities = await loadOrSay(context);
  if (identities === undefined) return undefined;
  const own = await openOwnValues({
    tree: openWorkTree(place.root),
    identities,
    includes: (scope) => typeof pattern !== "string" || matchesPatterns([pattern], scope, ""),
    history: from === undefined ? undefined : { place, from },
  });
  context.audit(
    own.opened.map((scope) => ({
      kind: "read",
      operation: "scan",
      scope,
      outcome: "ok",
      reason: "to look for its values",
    })),
  );
  return own;
}

async function loadOrSay(context: Context): Promise<readonly Identity[] | undefined> {
  try {
    return await context.session.identities();
  } catch (error) {
    if (!hasCode(error, "E_NO_IDENTITY")) throw error;
    context.say("sealtree: warning: no identity, so only token shapes are searched, and none of your own values");
    return undefined;
  }
}
