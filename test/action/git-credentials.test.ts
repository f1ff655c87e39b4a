import { describe, expect, it } from "vitest";
import { credentialHeader, gitCredentials, serverOf } from "../../src/action/git-credentials.ts";
import { git } from "../../src/git/run.ts";
import { Secret } from "../../src/secret/secret.ts";
import { createRepository } from "../support/repository.ts";

const token = Secret.text("test-token");
const header = "AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46dGVzdC10b2tlbg==";

describe("the token for git", () => {
  it("is for the server of the job, in the place of what the clone kept, and for no other", async () => {
    const repository = createRepository();
    const { root, env } = repository;
    const own = (...args: string[]) => repository.git(...args);
    own("config", "http.https://github.com/.extraheader", "AUTHORIZATION: basic b2xk");
    own("config", "http.https://other.test/.extraheader", "AUTHORIZATION: basic b3RoZXI=");
    const place = { root, env: gitCredentials(env, token) };
    const ask = async (url: string) => (await git(place, ["config", "--get-urlmatch", "http.extraheader", url])).trim();
    expect(await ask("https://github.com/acme/api")).toBe(header);
    expect(await ask("https://other.test/acme/api")).toBe("AUTHORIZATION: basic b3RoZXI=");
    const all = await git(place, ["config", "--get-all", "http.https://github.com/.extraheader"]);
    expect(all.split("\n").slice(-3)).toEqual(["", header, ""]);
    expect(own("config", "--get", "http.https://github.com/.extraheader")).not.toContain(credentialHeader(token));
  });

  it.each([
    ["", "https://github.com"],
    ["https://git.acme.test/", "https://git.acme.test"],
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
  ])("goes to the server of GITHUB_SERVER_URL=%j", (written, server) => {
    expect(serverOf({ GITHUB_SERVER_URL: written })).toBe(server);
  });

  it.each(["http://git.acme.test", "https://user@git.acme.test", "https://a.test/?x", "file:///tmp", "git.acme.test"])(
    "goes to no server such as %j",
    (written) => {
      expect(() => gitCredentials({ GITHUB_SERVER_URL: written }, token)).toThrow("no address that a token");
    },
  );
});
