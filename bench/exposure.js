import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { interleave, timeOf } from "./measure.js";
import { makeRepository } from "./repository.js";

const valuesOfScope = 50;
/** Every so many commits a scope gets a new generation, of which bob is a reader every second time. */
const rekeyEvery = 50;
const start = 1_700_000_000;

/**
 * Rows of `exposure` in a history of `commits` commits over `scopes` scopes of 50 values, each
 * against `git log --raw` of the same files, which reads no content.
 */
export function benchExposure({ rounds, commits, scopes }) {
  const repository = makeRepository("pq");
  try {
    writeHistory(repository, { commits, scopes });
    const what = `exposure over ${commits} commits in ${scopes} scopes`;
    const log = ["log", "--raw", "--no-abbrev", "HEAD", "--", "secrets"];
    let peakBytes = 0;
    const times = interleave(
      {
        base: () => timeOf(() => repository.git(...log)),
        [what]: () => {
          const run = repository.sealtree(["exposure", "bob", "--json"], { measuresMemory: true });
          peakBytes = Math.max(peakBytes, run.peakBytes);
          return run.timeMs;
        },
      },
      rounds,
    );
    const baseMs = times.get("base").medianMs;
    return [
      { what: "git log --raw", ...times.get("base"), baseMs },
      { what, ...times.get(what), peakBytes, baseMs },
    ];
  } finally {
    repository.remove();
  }
}

/** Adds commits to a repository with one git process. Headers are well formed; nothing opens. */
export function writeHistory({ cwd, env, git }, { commits, scopes }) {
  const made = Array.from({ length: scopes }, (_, index) => ({
    path: `team-${index % 10}/scope-${index}`,
    records: new Map(),
    minted: 0,
    generation: undefined,
  }));
  const branch = execFileSync("git", ["symbolic-ref", "HEAD"], { cwd, env, encoding: "utf8" }).trim();
  const parts = [];
  for (let index = 0; index < commits; index += 1) {
    const scope = made[(index * 7919) % scopes];
    const files = [];
    if (scope.generation === undefined || index % rekeyEvery === 0) files.push(rekey(scope));
    scope.records.set(`VALUE_${index % valuesOfScope}`, { value: index, seal: index });
    files.push([`secrets/${scope.path}.yaml`, printScope(scope)]);
    parts.push(printCommit(branch, index, files));
  }
  execFileSync("git", ["fast-import", "--quiet", "--force"], { cwd, env, input: parts.join("") });
  git("reset", "--quiet", "--hard");
}

function rekey(scope) {
  scope.minted += 1;
  const previous = scope.generation;
  scope.generation = hex(`${scope.path} generation ${scope.minted}`, 32);
  if (scope.records.size === 0)
    for (let index = 0; index < valuesOfScope; index += 1)
      scope.records.set(`VALUE_${index}`, { value: `${scope.path} ${index}`, seal: 0 });
  for (const record of scope.records.values()) delete record.line;
  const readers = ["ada-bench", ...(scope.minted % 2 === 0 ? [] : ["bob"])];
  const list = `{${readers.map((name) => `${name}: [${hex(`test key of ${name}`, 16)}]`).join(", ")}}`;
  const text = `$sealtree: 1\n$scope: ${scope.path}\ngeneration: ${scope.generation}\nprevious: ${previous ?? "none"}\ncreated: 2026-01-01T00:00:00Z\nminted_for: ${list}\nwrapped_for: ${list}\nkey: |\n  -----BEGIN AGE ENCRYPTED FILE-----\n  dGVzdA==\n  -----END AGE ENCRYPTED FILE-----\n`;
  return [`secrets/${scope.path}.keys/${scope.generation}.yaml`, text];
}

function printScope({ path, records, generation }) {
  const lines = [...records]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, record]) => (record.line ??= `\n${name}: ${printRecord(name, { generation, ...record })}\n`));
  return `$sealtree: 1\n$scope: ${path}\n${lines.join("")}`;
}

function printRecord(name, { generation, value, seal }) {
  const header = Buffer.alloc(33);
  header[0] = 1;
  header.write(generation, 1, 16, "hex");
  header.write(hex(`value ${value}`, 16), 17, 8, "hex");
  header.writeBigUInt64BE(BigInt(start + seal), 25);
  const body = createHash("shake256", { outputLength: 136 }).update(`${name} ${generation} ${value} ${seal}`).digest();
  return `st1.${Buffer.concat([header, body]).toString("base64url")}`;
}

function printCommit(branch, index, files) {
  const changes = files.map(([path, text]) => `M 100644 inline ${path}\ndata ${text.length}\n${text}\n`).join("");
  const from = index === 0 ? `from ${branch}^0\n` : "";
  const who = `committer Ada Bench <ada@example.test> ${start + index} +0000\n`;
  return `commit ${branch}\n${who}data 5\ntest\n${from}${changes}`;
}

function hex(text, digits) {
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}
