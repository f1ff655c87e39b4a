import { describe, expect, it } from "vitest";
import { withGitSettings } from "../../src/git/config-environment.ts";
import { withoutFilters } from "../../src/git/filters.ts";
import { keepsCredentials, knowsSetting } from "../../src/git/known-settings.ts";
import { gitEnvironment } from "../../src/git/place.ts";
import { git, runGit } from "../../src/git/run.ts";
import { createRepository } from "../support/repository.ts";

const given = { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "test.first", GIT_CONFIG_VALUE_0: "1" };

describe("settings in the environment", () => {
  it("come after those that are there, and git has all of them", async () => {
    const { root, env } = createRepository();
    const place = { root, env: withGitSettings({ ...env, ...given }, [["test.second", "a\nb"]]) };
    expect(await git(place, ["config", "--get", "test.first"])).toBe("1\n");
    expect(await git(place, ["config", "--get", "test.second"])).toBe("a\nb\n");
    expect(given.GIT_CONFIG_COUNT).toBe("1");
  });

  it("stay when filters are turned off", async () => {
    const repository = createRepository();
    const { root, env } = repository;
    repository.git("config", "filter.test.clean", "test-program");
    const place = { root, env: withGitSettings(env, [["test.second", "2"]]) };
    const off = await withoutFilters(place);
    expect((await runGit(place, ["config", "--get", "test.second"], { env: off })).stdout).toBe("2\n");
    expect((await runGit(place, ["config", "--get", "filter.test.clean"], { env: off })).stdout).toBe("\n");
  });

  it.each([
    "alias.x",
    "core.editor",
    "core.gitProxy",
    "core.hooksPath",
    "core.pager",
    "core.sshCommand",
    "credential.helper",
    "diff.external",
    "gpg.program",
    "gpg.ssh.program",
    "include.path",
    "init.templateDir",
    "protocol.allow",
    "sequence.editor",
    "submodule.x.update",
    "url.https://a.test/.insteadOf",
  ])("may be what the user's own files may have: %s", async (key) => {
    const { root, env } = createRepository();
    const value = key === "protocol.allow" ? "always" : "/none";
    const place = { root, env: withGitSettings(env, [[key, value]]) };
    expect(await git(place, ["config", "--get", key])).toBe(`${value}\n`);
  });

  it("are not those of a git that started us with -c", () => {
    const clean = gitEnvironment({ ...given, GIT_CONFIG_PARAMETERS: "'core.editor=x'", GIT_DIR: "/none" });
    expect(clean).toMatchObject(given);
    expect(Object.keys(clean)).not.toEqual(expect.arrayContaining(["GIT_DIR"]));
    expect(Object.keys(clean)).not.toEqual(expect.arrayContaining(["GIT_CONFIG_PARAMETERS"]));
  });
});

describe("the environment of git", () => {
  it("has no identity, of ours or of sops", () => {
    const names = ["SEALTREE_IDENTITY", "SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_SSH_PRIVATE_KEY_FILE"];
    const clean = gitEnvironment(Object.fromEntries([...names, "HOME"].map((name) => [name, "test"])));
    expect(names.filter((name) => Object.hasOwn(clean, name))).toEqual([]);
    expect(clean["HOME"]).toBe("test");
  });
});

describe("what git knows", () => {
  it("is in a file or in the environment", async () => {
    const { root, env } = createRepository();
    const nobody = { root, env: { ...env, HOME: root } };
    expect(await knowsSetting({ root, env }, "user.name")).toBe(true);
    expect(await knowsSetting(nobody, "user.name")).toBe(false);
    const named = { root, env: withGitSettings(nobody.env, [["user.name", "Test"]]) };
    expect(await knowsSetting(named, "user.name")).toBe(true);
  });

  it("is a credential for one server alone", async () => {
    const repository = createRepository();
    const { root, env } = repository;
    repository.git("config", "http.https://github.test/.extraheader", "AUTHORIZATION: basic dGVzdA==");
    expect(await keepsCredentials({ root, env }, "https://github.test/")).toBe(true);
    expect(await keepsCredentials({ root, env }, "https://github.test.evil.test/")).toBe(false);
  });
});
