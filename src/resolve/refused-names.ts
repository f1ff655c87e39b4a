/** Names that one kind of program trusts. A name that ends in `*` is a prefix. */
interface RefusedGroup {
  readonly reason: string;
  readonly names: readonly string[];
  /** `any`: also in another case, because npm and Windows do not tell case apart. */
  readonly letterCase: "exact" | "any";
}

const groups: readonly RefusedGroup[] = [
  {
    reason: "it decides which programs are found",
    names: ["PATH", "PATHEXT", "COMSPEC", "SYSTEMROOT", "WINDIR", "PSMODULEPATH", "CDPATH", "SHELL"],
    letterCase: "any",
  },
  {
    reason: "it changes what the loader or the C library loads",
    names: ["LD_*", "DYLD_*", "GCONV_PATH", "GLIBC_TUNABLES", "LOCPATH", "NLSPATH", "MALLOC_*", "HOSTALIASES"],
    letterCase: "exact",
  },
  {
    reason: "it changes what a shell runs or how it reads a line",
    names: ["BASH_ENV", "ENV", "IFS", "SHELLOPTS", "BASHOPTS", "BASH_FUNC_*", "PS0", "PS1", "PS2", "PS4"],
    letterCase: "exact",
  },
  {
    reason: "it changes what a shell runs or how it reads a line",
    names: ["PROMPT_COMMAND", "GLOBIGNORE", "ZDOTDIR", "FPATH", "LESSOPEN", "LESSCLOSE", "MAKEFLAGS", "SUDO_*"],
    letterCase: "exact",
  },
  {
    reason: "it changes what a language runtime loads",
    names: ["NODE_*", "ELECTRON_RUN_AS_NODE", "DENO_*", "BUN_*", "PYTHON*", "PERL5*", "PERLLIB", "RUBY*", "GEM_*"],
    letterCase: "any",
  },
  {
    reason: "it changes what a language runtime loads",
    names: ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH", "DOTNET_*", "COMPLUS_*"],
    letterCase: "any",
  },
  {
    reason: "it changes what a language runtime loads",
    names: ["LUA_INIT*", "LUA_PATH*", "LUA_CPATH*", "PHPRC", "PHP_INI_SCAN_DIR", "GOFLAGS"],
    letterCase: "any",
  },
  {
    reason: "it changes what a build runs",
    names: ["RUSTC", "RUSTC_*", "CARGO_*"],
    letterCase: "any",
  },
  {
    reason: "programs write the keys of their connections into the file that it names",
    names: ["SSLKEYLOGFILE"],
    letterCase: "any",
  },
  {
    reason: "it changes which certificates and modules are trusted",
    names: ["OPENSSL_*", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"],
    letterCase: "any",
  },
  { reason: "it changes how git works", names: ["GIT_*"], letterCase: "any" },
  { reason: "it changes how ssh works", names: ["SSH_*"], letterCase: "any" },
  { reason: "it changes how gpg works", names: ["GNUPGHOME"], letterCase: "any" },
  { reason: "it changes how npm works", names: ["NPM_CONFIG_*"], letterCase: "any" },
  { reason: "it changes how Yarn works", names: ["YARN_*"], letterCase: "any" },
  {
    reason: "it belongs to GitHub Actions",
    names: ["GITHUB_*", "RUNNER_*", "ACTIONS_*", "INPUT_*", "STATE_*"],
    letterCase: "any",
  },
  { reason: "programs take it to mean that nobody watches", names: ["CI"], letterCase: "exact" },
  {
    reason: "programs find their settings and their user by it",
    names: ["HOME", "USER", "LOGNAME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_*", "TMPDIR", "PWD", "OLDPWD"],
    letterCase: "exact",
  },
  {
    reason: "programs run what it names",
    names: ["EDITOR", "VISUAL", "PAGER", "MANPAGER", "BROWSER"],
    letterCase: "exact",
  },
  { reason: "it belongs to sealtree and its identities", names: ["SEALTREE_*", "SOPS_AGE_*"], letterCase: "any" },
];

/**
 * Why a variable is not handed to a child unless the user allowed it on the command line:
 * whoever may write it could choose what the child runs. Undefined for every other name.
 * `variable` is the name of the environment variable, not of the secret.
 */
export function refusedName(variable: string): string | undefined {
  return groups.find((group) => group.names.some((name) => matches(variable, name, group.letterCase)))?.reason;
}

function matches(variable: string, name: string, letterCase: RefusedGroup["letterCase"]): boolean {
  const written = letterCase === "any" ? variable.toUpperCase() : variable;
  return name.endsWith("*") ? written.startsWith(name.slice(0, -1)) : written === name;
}
