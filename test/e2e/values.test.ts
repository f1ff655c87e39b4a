import { describe, expect, it } from "vitest";
import { createRepository, createSealedRepository } from "../support/repository.ts";

describe("set and get", () => {
  it("gives back the bytes that were set", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-value\r\n" });
    expect((await repository.ok(["get", "dev/app/API_KEY", "--reveal", "--yes"])).stdout).toBe("test-value\r\n");
  });

  it("makes one commit with trailers and leaves the tree clean", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "dev/app/API_KEY", "--stdin", "--reason", "first key"], { stdin: "test-value" });
    expect(repository.git("log", "-1", "--format=%B").trim()).toBe(
      "secrets(dev/app): set API_KEY\n\nfirst key\n\nSealtree-Reason: manual\nSealtree-Secret: dev/app/API_KEY",
    );
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  it("changes nothing when the value is there already", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-value" });
    const before = repository.read("secrets/dev/app.yaml");
    const result = await repository.ok(["set", "dev/app/API_KEY", "--stdin", "--json"], { stdin: "test-value" });
    expect(result.json()).toMatchObject({ unchanged: ["API_KEY"], commit: null });
    expect(repository.read("secrets/dev/app.yaml")).toBe(before);
  });

  it("leaves what the user has staged as it is", async () => {
    const repository = await createSealedRepository();
    repository.write("staged.txt", "mine\n");
    repository.git("add", "staged.txt");
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-value" });
    expect(repository.git("status", "--porcelain")).toBe("A  staged.txt\n");
  });

  it("works in a path with spaces and before the first commit", async () => {
    const repository = createRepository("a repo with spaces");
    await repository.ok(["init", "--yes", "--no-commit"]);
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-value" });
    expect((await repository.ok(["get", "dev/app/API_KEY", "--reveal", "--yes"])).stdout).toBe("test-value");
  });

  it("never takes a value as an argument, and does not repeat one", async () => {
    const repository = await createSealedRepository();
    for (const argv of [
      ["set", "dev/app/API_KEY=canary-value"],
      ["set", "dev/app/API_KEY", "canary-value"],
      ["set", "dev/app/API_KEY", "--value=canary-value"],
    ]) {
      const result = await repository.run(argv);
      expect(result.code).toBe(2);
      expect(result.stdout + result.stderr).not.toContain("canary-value");
    }
  });
});
