/** A value that is stored. The second has all that escaping changes. */
export const stored = ["stored-canary-7q2x-text", 'stored-canary-7q2x-odd "\\/+&=<é>\nsecond line\t!'] as const;
/** A value that somebody types where none belongs. It is no name, scope, address or number. */
export const typed = "typed-canary-9z8w=+/!x";
/** What every canary is searched by, and each in whole. */
export const canaries = [...stored, "stored-canary-7q2x", "typed-canary-9z8w", typed];

export interface CommandLine {
  readonly argv: readonly string[];
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Exit status that is as it should be; 0 without. */
  readonly code?: number;
  /** True where stored values may leave on stdout: a door. */
  readonly isDoor?: boolean;
}

const json = JSON.stringify({ API_KEY: stored[0], ODD: stored[1] });
const cut = `API_KEY: "${stored[0]}\nODD: [${stored[0]}`;

/**
 * Good lines of every command, in an order that works on one repository, and bad ones whose
 * input is a stored value in a wrong form. A command without lines fails the test.
 */
export const commandLines: Readonly<Record<string, readonly CommandLine[]>> = {
  init: [{ argv: ["init", "--yes"] }],
  keygen: [{ argv: ["keygen", "--x25519", "-o", "../spare.key"] }],
  // The demo has values of its own and says itself that it showed none; here it only refuses.
  demo: [{ argv: ["demo", "--keep", "."], code: 7 }],
  set: [
    { argv: ["set", "dev/app/API_KEY", "--stdin"], stdin: stored[0] },
    { argv: ["set", "dev/app/API_KEY", "--stdin"], stdin: stored[1] },
    { argv: ["set", "dev/app/ODD", "--stdin", "--binary"], stdin: stored[1] },
    { argv: ["set", "dev/app/FROM_JSON", "--from-json", "/ODD"], stdin: json },
    { argv: ["set", "dev/app/FROM_JSON", "--from-json", "/MISSING"], stdin: json, code: 2 },
    { argv: ["set", "dev/app/FROM_JSON", "--from-json", "/ODD"], stdin: cut, code: 2 },
    { argv: ["set", "dev/web/API_KEY", "--stdin", "--dry-run"], stdin: stored[0] },
  ],
  get: [
    { argv: ["get", "dev/app/API_KEY"] },
    { argv: ["get", "dev/app/API_KEY", "--at", "HEAD"] },
    { argv: ["get", "dev/app/NONE", "--reveal", "--yes"], code: 4 },
    { argv: ["get", "dev/app/API_KEY", "--reveal", "--yes"], isDoor: true },
  ],
  list: [{ argv: ["list"] }, { argv: ["list", "dev/app"] }],
  import: [
    { argv: ["import", "dev/web", "--format", "json", "--yes"], stdin: json },
    { argv: ["import", "dev/web", "--format", "yaml", "--replace", "--dry-run"], stdin: `ODD: ${stored[0]}\n` },
    { argv: ["import", "dev/web", "--format", "json", "--yes"], stdin: cut, code: 2 },
    { argv: ["import", "dev/web", "--format", "yaml", "--yes"], stdin: cut, code: 2 },
    { argv: ["import", "dev/web", "--format", "dotenv", "--yes"], stdin: cut, code: 2 },
    { argv: ["import", "dev/web", "--format", "dotenv", "--yes"], stdin: `${stored[0]} no name=1`, code: 2 },
    { argv: ["import", "dev/web", "--format", "dotenv"], stdin: `API_KEY=${stored[0]}new`, code: 2 },
  ],
  edit: [
    { argv: ["edit", "dev/web"], env: { EDITOR: "true" } },
    { argv: ["edit", "dev/web"], env: { EDITOR: "sed -i s/text/edited/" } },
    { argv: ["edit", "dev/web"], env: { EDITOR: "sed -i s/^ODD:/ODD/" }, code: 2 },
    { argv: ["edit", "dev/web"], env: { EDITOR: "false" }, code: 2 },
  ],
  export: [
    { argv: ["export", "dev/web", "--yes"], isDoor: true },
    { argv: ["export", "dev/web", "--format", "docker", "--yes"], code: 2 },
    { argv: ["export", "dev/web", "--format", "json", "--only", "ODD"], isDoor: true },
  ],
  encrypt: [
    { argv: ["encrypt", "-", "--scope", "dev/sealed", "--format", "json", "--yes"], stdin: json },
    { argv: ["encrypt", "-", "--scope", "dev/sealed", "--format", "yaml", "--yes"], stdin: cut, code: 2 },
  ],
  decrypt: [
    { argv: ["decrypt", "dev/web", "--yes"], isDoor: true },
    { argv: ["decrypt", "dev/none"], code: 4 },
  ],
  cp: [{ argv: ["cp", "dev/web", "dev/copy", "--yes"] }],
  mv: [{ argv: ["mv", "dev/copy/ODD", "dev/copy/EVEN", "--yes"] }],
  run: [
    { argv: ["run", "dev/web", "--", "sh", "-c", 'printf "%s %s" "$API_KEY" "$ODD"; printf %s "$ODD" >&2'] },
    { argv: ["run", "dev/web", "--no-mask", "--", "printenv", "API_KEY"], isDoor: true },
    { argv: ["run", "dev/web"], code: 2 },
    { argv: ["run", "dev/web", "--", "no-such-program-here"], code: 127 },
  ],
  "member add": [{ argv: ["member", "add", "bob", "--recipient", "RECIPIENT", "--role", "engineer", "--yes"] }],
  "member list": [{ argv: ["member", "list"] }],
  rekey: [{ argv: ["rekey", "dev/web", "--yes"] }, { argv: ["rekey", "--yes"] }],
  rotate: [
    { argv: ["rotate", "dev/copy/EVEN", "--generate", "password", "--yes"] },
    { argv: ["rotate", "--due", "--yes", "--dry-run"] },
  ],
  "rotation status": [{ argv: ["rotation", "status"] }],
  "rotation plan": [{ argv: ["rotation", "plan"] }],
  log: [{ argv: ["log", "dev/app/API_KEY"] }, { argv: ["log", "dev/app"] }],
  rollback: [
    { argv: ["rollback", "dev/app/API_KEY", "--to", "1", "--yes"] },
    { argv: ["rollback", "dev/app", "--to", "HEAD~3", "--dry-run"] },
  ],
  check: [{ argv: ["check"] }, { argv: ["check", "--deep"] }],
  doctor: [{ argv: ["doctor"] }],
  status: [{ argv: ["status"] }],
  audit: [{ argv: ["audit"] }],
  "git-setup": [{ argv: ["git-setup"] }],
  "merge-driver": [
    { argv: ["merge-driver", "../sealed.yaml", "../sealed.yaml", "../sealed.yaml", "secrets/dev/app.yaml"] },
    { argv: ["merge-driver", "../sealed.yaml", "../plain.yaml", "../sealed.yaml", "secrets/dev/app.yaml"], code: 1 },
  ],
  completion: [{ argv: ["completion", "bash"] }],
  __complete: [{ argv: ["__complete", "--", "get", "dev/app/"] }],
  __docs: [{ argv: ["__docs"] }],
  unset: [{ argv: ["unset", "dev/copy/EVEN", "--yes"] }],
};
