import { describe, expect, it } from "vitest";
import { refusedName } from "../../src/resolve/refused-names.ts";

describe("refusedName", () => {
  it.each(
    [
      ["PATH", "Path", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "NODE_OPTIONS", "node_options", "BASH_ENV", "ENV", "IFS"],
      ["SHELLOPTS", "PS4", "PROMPT_COMMAND", "PYTHONPATH", "PERL5OPT", "RUBYOPT", "GIT_SSH_COMMAND", "SSH_AUTH_SOCK"],
      ["GITHUB_TOKEN", "RUNNER_TEMP", "ACTIONS_RUNTIME_TOKEN", "HOME", "CI", "npm_config_registry", "NPM_CONFIG_CACHE"],
      ["EDITOR", "VISUAL", "PAGER", "SEALTREE_IDENTITY", "sealtree_repo", "SOPS_AGE_KEY", "JAVA_TOOL_OPTIONS"],
      ["LD_", "GIT_", "XDG_CONFIG_HOME"],
      ["INPUT_COMMAND", "input_command", "STATE_files", "STATE_agent", "SSLKEYLOGFILE", "YARN_RC_FILENAME"],
      ["RUSTC", "RUSTC_WRAPPER", "CARGO_HOME", "CARGO_REGISTRY_TOKEN", "GNUPGHOME"],
    ].flat(),
  )("gives a reason for %s", (name) => {
    expect(refusedName(name)).toMatch(/^[a-z]/);
  });

  it.each(
    [
      [
        "STRIPE_KEY",
        "DATABASE_URL",
        "PATHS",
        "MY_PATH",
        "OLD_KEY",
        "NODE",
        "NODEJS_KEY",
        "GITLAB_TOKEN",
        "ENVIRONMENT",
      ],
      [
        "env",
        "ci",
        "home",
        "ifs",
        "HOMEPAGE",
        "CI_TOKEN",
        "EDITORS",
        "SSHKEY",
        "GITTOKEN",
        "AGE",
        "STATE",
        "INPUTS_KEY",
        "YARN",
        "RUSTCKEY",
        "ld_key",
        "__proto__",
      ],
    ].flat(),
  )("lets %s through", (name) => {
    expect(refusedName(name)).toBeUndefined();
  });
});
