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
  keygen: [
    { argv: ["keygen", "--x25519", "-o", "../spare.key"] },
    { argv: ["keygen", "--ssh", "../plain.yaml"], code: 2 },
    { argv: ["keygen", "--plugin", "none"], code: 9 },
    {
      argv: ["keygen", "--passphrase", "-o", "../sealed.key"],
      env: { SEALTREE_PASSPHRASE_CMD: `printf '${typed}' >&2; exit 1` },
      code: 2,
    },
  ],
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
    { argv: ["import", "dev/moved", "--from", "json", "--dry-run"], stdin: json },
    { argv: ["import", "dev/moved", "--from", "yaml", "--dry-run", "--markdown"], stdin: `a: {b: ["${stored[0]}"]}\n` },
    { argv: ["import", "dev/moved", "--from", "dotenvx", "--dry-run", "--json"], stdin: `A='${stored[0]}'\n` },
    { argv: ["import", "dev/moved", "--from", "dotenvx", "--yes"], stdin: `A="$(echo ${stored[0]})"\n`, code: 2 },
    { argv: ["import", "dev/moved", "--from", "dotenvx", "--yes"], stdin: `A=encrypted:${stored[0]}\n`, code: 5 },
    { argv: ["import", "dev/moved", "--from", "json", "--yes"], stdin: `{"a": "${stored[0]}", "a": 1}`, code: 2 },
    { argv: ["import", "dev/moved", "--from", "json", "--yes"], stdin: `{"1": "${stored[0]}"}`, code: 2 },
    { argv: ["import", "dev/moved", "--from", "yaml", "--yes"], stdin: cut, code: 2 },
    { argv: ["import", "dev/moved", "--from", "sops", "--yes"], stdin: cut, code: 2 },
    { argv: ["import", "dev/moved", "--from", "sops", "--yes"], stdin: json, code: 2 },
    { argv: ["import", "dev/moved", "--from", "ejson", "--yes"], stdin: json, code: 2 },
    { argv: ["import", "dev/moved", typed, "--from", "vault", "--yes"], code: 2 },
    { argv: ["import", "dev/moved", typed, "--from", "aws-secrets-manager", "--yes"], code: 2 },
  ],
  provision: [
    { argv: ["provision", "qa", "--template", "../plain.yaml", "--yes"], code: 2 },
    { argv: ["provision", "qa", "--template", typed, "--yes"], code: 4 },
    { argv: ["provision", typed, "--template", "../plain.yaml"], code: 2 },
    { argv: ["provision", "qa", "--template", "../template.yaml", "--stdin", "--yes"], stdin: cut, code: 2 },
    {
      argv: ["provision", "qa", "--template", "../template.yaml", "--stdin", "--yes"],
      stdin: JSON.stringify({ "qa/app/ASKED": stored[0] }),
    },
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
    { argv: ["run", "--dotenv", "../plain.yaml", "--", "true"], code: 2 },
  ],
  render: [
    { argv: ["render", "-", "--format", "yaml"], stdin: "a: ${secret:dev/web/ODD}\n", isDoor: true },
    { argv: ["render", "-", "--format", "json", "--check"], stdin: '{"a": "${secret:dev/web/API_KEY}"}' },
    { argv: ["render", "-", "--format", "text"], stdin: "${secret:dev/web/API_KEY} ${secret:dev/web/NONE}", code: 4 },
    { argv: ["render", "-", "--format", "text"], stdin: `\${secret:${typed}}`, code: 2 },
    { argv: ["render", "-", "--format", "yaml"], stdin: cut, code: 2 },
    { argv: ["render", "-", "--format", "json"], stdin: cut, code: 2 },
    { argv: ["render", "-", "--format", "toml"], stdin: cut, code: 2 },
    { argv: ["render", "-", "--format", "dotenv"], stdin: `${stored[0]} no name=1`, code: 2 },
    { argv: ["render", "../plain.yaml", "-o", "../plain.yaml"], code: 2 },
    { argv: ["render", typed], code: 4 },
  ],
  "member add": [
    { argv: ["member", "add", "bob", "--recipient", "RECIPIENT", "--role", "engineer", "--yes"] },
    { argv: ["member", "add", "carol", "--github", "carol"], env: { SEALTREE_GITHUB_URL: typed }, code: 2 },
  ],
  "member set-role": [{ argv: ["member", "set-role", "bob", "--role", "engineer", "analyst", "--yes"] }],
  "member list": [{ argv: ["member", "list"] }],
  "access who": [
    { argv: ["access", "who", "dev/app/API_KEY"] },
    { argv: ["access", "who", "dev/app", "--ever"] },
    { argv: ["access", "who", `dev/app/${typed}`], code: 2 },
  ],
  exposure: [
    { argv: ["exposure", "bob"] },
    { argv: ["exposure", typed], code: 4 },
    { argv: ["exposure", "--key", typed], code: 4 },
    { argv: ["exposure", "bob", "--scope", typed], code: 2 },
  ],
  offboard: [{ argv: ["offboard", "bob", "--dry-run", "--markdown"] }, { argv: ["offboard", typed, "--yes"], code: 4 }],
  "access of": [{ argv: ["access", "of", "bob"] }],
  "access explain": [{ argv: ["access", "explain", "dev/app"] }],
  "access matrix": [{ argv: ["access", "matrix"] }, { argv: ["access", "matrix", "--format", "html"] }],
  "policy explain": [{ argv: ["policy", "explain"] }],
  "policy test": [{ argv: ["policy", "test"], code: 4 }],
  codeowners: [{ argv: ["codeowners"], code: 2 }],
  signers: [{ argv: ["signers"] }, { argv: ["signers", "--print"] }],
  rekey: [{ argv: ["rekey", "dev/web", "--yes"] }, { argv: ["rekey", "--yes"] }],
  // Drops take a member who may not read: test/leaks/drops.test.ts.
  adopt: [{ argv: ["adopt", "--yes"] }, { argv: ["adopt", "dev/web", "--dry-run"] }],
  rotate: [
    { argv: ["rotate", "dev/copy/EVEN", "--generate", "password", "--yes"] },
    { argv: ["rotate", "--due", "--yes", "--dry-run"] },
    { argv: ["rotate", "dev/copy/EVEN", "--generate", "password", "--push", "--yes"], code: 4 },
    { argv: ["rotate", "--exposed-to", "bob", "--yes", "--dry-run"], code: 8 },
    { argv: ["rotate", "--exposed-to", typed, "--yes"], code: 4 },
  ],
  "rotation status": [{ argv: ["rotation", "status"] }],
  "rotation plan": [{ argv: ["rotation", "plan"] }, { argv: ["rotation", "plan", "--format", "html"] }],
  "rotation rules": [{ argv: ["rotation", "rules"] }, { argv: ["rotation", "rules", "--type", typed], code: 2 }],
  "rotation notify": [
    { argv: ["rotation", "notify", "--markdown"], code: 2, env: { SEALTREE_WEBHOOK_URL: typed } },
    { argv: ["rotation", "notify", "--", "cat"] },
    { argv: ["rotation", "notify", "--since", typed], code: 2 },
    { argv: ["rotation", "notify", "--webhook", typed], code: 2 },
    {
      argv: ["rotation", "notify", "--webhook", "https://hook.example.test/x", "--webhook-key", "dev/app/API_KEY"],
      code: 2,
    },
    {
      argv: ["rotation", "notify", "--webhook", "https://hook.example.test/x"],
      env: { SEALTREE_WEBHOOK_KEY: stored[0] },
      code: 2,
    },
  ],
  // What it says of targets that hold values: test/deploy/deploy-command.test.ts.
  deploy: [
    { argv: ["deploy"], code: 4 },
    { argv: ["deploy", typed], code: 4 },
    { argv: ["deploy", "--deadline", typed], code: 2 },
  ],
  drift: [{ argv: ["drift"] }, { argv: ["drift", typed], code: 4 }],
  log: [{ argv: ["log", "dev/app/API_KEY"] }, { argv: ["log", "dev/app"] }, { argv: ["log"] }],
  diff: [
    { argv: ["diff", "HEAD~3"] },
    { argv: ["diff", "HEAD~3", "--reveal"], code: 2 },
    { argv: ["diff", "--env", "dev/app", "dev/web", "--compare"] },
    { argv: ["diff", "--env", "dev/app", "dev/web", "--reveal", "--yes"], isDoor: true },
    { argv: ["diff", typed], code: 4 },
  ],
  blame: [{ argv: ["blame", "dev/app"] }],
  rollback: [
    { argv: ["rollback", "dev/app/API_KEY", "--to", "1", "--yes"] },
    { argv: ["rollback", "dev/app", "--to", "HEAD~3", "--dry-run"] },
  ],
  check: [
    { argv: ["check"] },
    { argv: ["check", "--deep"] },
    { argv: ["check", "--sarif", "--base", "HEAD~1"] },
    { argv: ["check", "--fix", "--reason", "tidy"] },
  ],
  verify: [
    { argv: ["verify"], code: 2 },
    { argv: ["verify", "--root", "HEAD"] },
    { argv: ["verify", "--range", `${typed}..HEAD`], code: 4 },
    { argv: ["verify", "--range", typed], code: 2 },
    { argv: ["verify", "--pin", "HEAD"] },
  ],
  // What it says of files that hold values: test/leaks/scan.test.ts.
  scan: [
    { argv: ["scan", "--history", "--all-versions"] },
    { argv: ["scan", "../plain.yaml"], code: 1 },
    { argv: ["scan", "../plain.yaml", "--format", "github"], code: 1 },
    { argv: ["scan", typed], code: 4 },
    { argv: ["scan", "--scope", typed], code: 2 },
    { argv: ["scan", "--history", typed], code: 4 },
  ],
  review: [
    { argv: ["review", "HEAD~5..HEAD", "--exit-zero"] },
    { argv: ["review", "HEAD~5..HEAD", "--deep", "--exit-zero"] },
    { argv: ["review", `${typed}..HEAD`], code: 4 },
  ],
  doctor: [{ argv: ["doctor"] }],
  status: [{ argv: ["status"] }],
  audit: [{ argv: ["audit"] }],
  "git-setup": [{ argv: ["git-setup"] }],
  "github-setup": [
    { argv: ["github-setup", "--repository", "acme/api", "--action", `acme/sealtree@${"a".repeat(40)}`] },
    { argv: ["github-setup", "--action", typed], code: 2 },
    { argv: ["github-setup", "--repository", typed], code: 2 },
    { argv: ["github-setup", "--branch", typed], code: 2 },
    { argv: ["github-setup", "--environment", typed], code: 2 },
    { argv: ["github-setup", "--check", "--api", typed], env: { GH_TOKEN: stored[0] }, code: 2 },
    { argv: ["github-setup", "--check", "--api", "http://127.0.0.1:1"], env: { GH_TOKEN: stored[0] }, code: 9 },
  ],
  "diff-driver": [{ argv: ["diff-driver", "../sealed.yaml"] }, { argv: ["diff-driver", "../plain.yaml"] }],
  "merge-driver": [
    { argv: ["merge-driver", "../sealed.yaml", "../sealed.yaml", "../sealed.yaml", "secrets/dev/app.yaml"] },
    { argv: ["merge-driver", "../sealed.yaml", "../plain.yaml", "../sealed.yaml", "secrets/dev/app.yaml"], code: 1 },
  ],
  resolve: [
    { argv: ["resolve"] },
    { argv: ["resolve", "dev/app/API_KEY", "--ours"], code: 4 },
    { argv: ["resolve", typed, "--theirs"], code: 2 },
  ],
  "pre-commit": [{ argv: ["pre-commit"] }],
  completion: [{ argv: ["completion", "bash"] }],
  __complete: [{ argv: ["__complete", "--", "get", "dev/app/"] }],
  __docs: [{ argv: ["__docs"] }],
  unset: [{ argv: ["unset", "dev/copy/EVEN", "--yes"] }],
  // Last, since others ask about bob.
  "member remove": [
    { argv: ["member", "remove", "bob", "--key", "0011223344556677", "--yes"], code: 2 },
    { argv: ["member", "remove", "bob", "--yes"] },
  ],
};
