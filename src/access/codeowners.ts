import { SealtreeError } from "../errors.ts";
import { listScopes } from "../store/keyring.ts";
import { linesAfterBlock, replaceMarkedBlock } from "../store/marked-block.ts";
import { readText, type Tree } from "../store/tree.ts";
import { listGithubNames, listGithubWriters } from "./github-owners.ts";
import { isAdmin } from "./permission.ts";
import type { Policy } from "./policy.ts";

/** Where GitHub looks first. */
export const codeownersPath = ".github/CODEOWNERS";
/** Where GitHub looks when there is no file at {@link codeownersPath}. */
const otherPaths = ["CODEOWNERS", "docs/CODEOWNERS"];
/** GitHub loads no larger file (docs.github.com, "About code owners"). */
const maxBytes = 3 * 1024 * 1024;
/** What decides who may do what, besides the secrets: only admins approve a change of these. */
const protectedPaths = ["/policies/", "/.gitattributes", "/.github/"];

export interface PlannedCodeowners {
  /** The whole file as it should be. */
  readonly text: string;
  /** Undefined when there is no file yet. */
  readonly before: string | undefined;
  /** Lines after our block: the last line that matches a path wins, so they can take it out of our hands. */
  readonly after: readonly string[];
}

/**
 * `.github/CODEOWNERS` as the policy asks for it, other lines kept: admins approve changes of
 * policies and of `.github/` with its workflows and actions, and who may write in a scope approves changes of it. A folder whose
 * scopes have the same owners gets one line; a scope that is made later falls to the line of
 * its folder, in the end to the admins. Throws E_POLICY_INVALID when no admin has a GitHub name,
 * and E_EXISTS for a file in another place that this one would hide.
 */
export async function planCodeowners(tree: Tree, policy: Policy): Promise<PlannedCodeowners> {
  const admins = listGithubNames(policy, (member) => isAdmin(policy, member)).map(asOwner);
  if (admins.length === 0) {
    throw new SealtreeError("E_POLICY_INVALID", "no admin has a GitHub name, so nobody could approve a change", {
      hints: ["set github: NAME of an admin in policies/access.yaml"],
    });
  }
  const before = await readText(tree, codeownersPath);
  if (before === undefined) await checkNothingHidden(tree);
  const owners = new Map(
    (await listScopes(tree)).map((scope) => {
      const writers = listGithubWriters(policy, scope).map(asOwner);
      return [scope, (writers.length === 0 ? admins : writers).join(" ")] as const;
    }),
  );
  const lines = [
    "# Made by sealtree codeowners from policies/access.yaml.",
    ...align([["/secrets/", admins.join(" ")], ...ownScopes(owners, admins.join(" "))]),
    ...align(protectedPaths.map((path) => [path, admins.join(" ")] as const)),
  ];
  const text = replaceMarkedBlock(before ?? "", lines);
  if (Buffer.byteLength(text) > maxBytes) {
    throw new SealtreeError("E_VALUE_TOO_LARGE", `${codeownersPath} would be larger than GitHub loads (3 MB)`, {
      hints: ["give scopes that belong together the same writers: a folder of them takes one line"],
    });
  }
  return { text, before, after: linesAfterBlock(text) };
}

type Line = readonly [path: string, owners: string];

/**
 * A line for each folder whose scopes all have the same owners, and for each other scope; none
 * where `inherited` says it already. Folders first, so that the deeper line wins.
 */
function ownScopes(owners: ReadonlyMap<string, string>, inherited: string, folder = ""): Line[] {
  const kinds = new Set(owners.values());
  const [same] = kinds;
  if (folder !== "" && kinds.size === 1 && same !== undefined) {
    return same === inherited ? [] : [[`/secrets/${folder}`, same]];
  }
  const folders = new Map<string, Map<string, string>>();
  const lines: Line[] = [];
  for (const [scope, who] of owners) {
    const slash = scope.indexOf("/", folder.length);
    // The scope file and the folders of its keyring and journals: api.yaml, api.keys, api.rotation.
    if (slash < 0 && who !== inherited) lines.push([`/secrets/${scope}.*`, who]);
    if (slash < 0) continue;
    const below = scope.slice(0, slash + 1);
    folders.set(below, (folders.get(below) ?? new Map<string, string>()).set(scope, who));
  }
  return [...[...folders].flatMap(([below, part]) => ownScopes(part, inherited, below)), ...lines];
}

function asOwner(github: string): string {
  return `@${github}`;
}

async function checkNothingHidden(tree: Tree): Promise<void> {
  for (const path of otherPaths) {
    if ((await tree.read(path)) === undefined) continue;
    throw new SealtreeError("E_EXISTS", `${path} is there, and ${codeownersPath} would hide it from GitHub`, {
      hints: [`mkdir -p .github && git mv ${path} ${codeownersPath}, then run the command again`],
    });
  }
}

function align(lines: readonly Line[]): string[] {
  const width = Math.max(0, ...lines.map(([path]) => path.length));
  return lines.map(([path, who]) => `${path.padEnd(width)} ${who}`);
}
