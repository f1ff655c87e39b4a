import { execFileSync } from "node:child_process";

/** A value that a secret got, as the history of main has it. */
export interface SetValue {
  readonly address: string;
  readonly valueId: string;
  /** When the commit that brought it was made. */
  readonly atMs: number;
  /** When the record says that it was set. */
  readonly setAtMs: number;
  readonly commit: string;
}

const header = { valueId: [17, 25], setAt: 25 } as const;

/**
 * Reads git's own log of a repository's main and the headers of the records in it, as docs/format.md has
 * them. Nothing of the program takes part.
 */
export function readHistory(folder: string): SetValue[] {
  const log = execFileSync(
    "git",
    [
      "log",
      "--no-textconv",
      "--no-ext-diff",
      "--reverse",
      "--first-parent",
      "-m",
      "-p",
      "-U0",
      "--format=commit %H %ct",
      "main",
      "--",
      "secrets",
    ],
    { cwd: folder, encoding: "utf8", maxBuffer: 1 << 30, stdio: ["ignore", "pipe", "pipe"] },
  );
  const present = new Map<string, string>();
  const values: SetValue[] = [];
  let [commit, atMs, scope] = ["", 0, ""];
  for (const line of log.split("\n")) {
    const [, id, seconds] = /^commit ([0-9a-f]{40}) (\d+)$/.exec(line) ?? [];
    if (id !== undefined) [commit, atMs] = [id, Number(seconds) * 1000];
    const file = /^\+\+\+ b\/secrets\/(.+)$/.exec(line)?.[1];
    if (file !== undefined) scope = /^([a-z0-9_/-]+)\.yaml$/.exec(file)?.[1] ?? "";
    const [, name, record] = /^\+([A-Za-z_][A-Za-z0-9_.-]*): (st1\.[A-Za-z0-9_-]+)$/.exec(line) ?? [];
    // Generations and journals are in folders with a dot.
    if (scope === "" || name === undefined || record === undefined) continue;
    const bytes = Buffer.from(record.slice("st1.".length), "base64url");
    const address = `${scope}/${name}`;
    const valueId = bytes.toString("hex", ...header.valueId);
    if (present.get(address) === valueId) continue;
    present.set(address, valueId);
    const setAtMs = Number(bytes.readBigUInt64BE(header.setAt)) * 1000;
    values.push({ address, valueId, atMs, setAtMs, commit });
  }
  return values;
}
