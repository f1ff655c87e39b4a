import { copyFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exitCodes } from "../../src/errors.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";

const app = "secrets/dev/app.yaml";
const web = "secrets/dev/web.yaml";

describe("a record that stands where it was not sealed for", () => {
  it("is refused at the name of another secret, and says which", async () => {
    const repository = await createScopes();
    const [first, second] = [recordOf(repository, app, "API_KEY"), recordOf(repository, app, "DB_URL")];
    putRecord(repository, app, "API_KEY", second);
    putRecord(repository, app, "DB_URL", first);
    await expectRefused(repository, "dev/app/API_KEY", "sealed for dev/app/DB_URL, found at dev/app/API_KEY");
    await expectRefused(repository, "dev/app/DB_URL", "sealed for dev/app/API_KEY, found at dev/app/DB_URL", [
      "sealed for dev/app/DB_URL, found at dev/app/API_KEY",
    ]);
  });

  it("is refused in another scope, and says where it came from", async () => {
    const repository = await createScopes();
    putRecord(repository, web, "API_KEY", recordOf(repository, app, "API_KEY"));
    await expectRefused(repository, "dev/web/API_KEY", "sealed for dev/app/API_KEY, found at dev/web/API_KEY");
  });

  it("is refused in another scope when its generation came along", async () => {
    const repository = await createScopes();
    putRecord(repository, web, "API_KEY", recordOf(repository, app, "API_KEY"));
    const [generation = ""] = generationsOf(repository, "dev/app");
    copyFileSync(fileOf(repository, "dev/app", generation), fileOf(repository, "dev/web", generation));
    await expectRefused(repository, "dev/web/API_KEY", "sealed for dev/app, found at dev/web");
  });

  it("is refused in another scope when its generation came along and was made to look at home", async () => {
    const repository = await createScopes();
    putRecord(repository, web, "API_KEY", recordOf(repository, app, "API_KEY"));
    const [generation = ""] = generationsOf(repository, "dev/app");
    const text = repository.read(`secrets/dev/app.keys/${generation}`);
    repository.write(`secrets/dev/web.keys/${generation}`, text.replace("$scope: dev/app", "$scope: dev/web"));
    await expectRefused(repository, "dev/web/API_KEY", "it was made for dev/app, found at dev/web");
  });
});

describe("a scope file under another name", () => {
  it("is refused and says what it was sealed for", async () => {
    const repository = await createScopes();
    renameSync(join(repository.root, app), join(repository.root, "secrets/dev/other.yaml"));
    await expectRefused(repository, "dev/other/API_KEY", "sealed for dev/app, found at dev/other");
  });

  it("is refused with its keyring, also when its head was made to look at home", async () => {
    const repository = await createScopes();
    renameSync(join(repository.root, "secrets/dev/app.keys"), join(repository.root, "secrets/dev/other.keys"));
    repository.write("secrets/dev/other.yaml", repository.read(app).replace("$scope: dev/app", "$scope: dev/other"));
    rmSync(join(repository.root, app));
    await expectRefused(repository, "dev/other/API_KEY", "sealed for dev/app, found at dev/other");
  });
});

describe("a generation under the name of another", () => {
  it("is refused when two are swapped", async () => {
    const repository = await createGenerations();
    const [first = "", second = ""] = generationsOf(repository, "dev/app");
    const aside = fileOf(repository, "dev/app", "aside");
    renameSync(fileOf(repository, "dev/app", first), aside);
    renameSync(fileOf(repository, "dev/app", second), fileOf(repository, "dev/app", first));
    renameSync(aside, fileOf(repository, "dev/app", second));
    await expectRefused(repository, "dev/app/API_KEY", `it is generation ${idOf(first)}, found as ${idOf(second)}`, [
      `it is generation ${idOf(second)}, found as ${idOf(first)}`,
    ]);
  });

  it("is refused when an older one is copied over the present one", async () => {
    const repository = await createGenerations();
    const present = presentGeneration(repository);
    const older = generationsOf(repository, "dev/app").find((name) => name !== present) ?? "";
    copyFileSync(fileOf(repository, "dev/app", older), fileOf(repository, "dev/app", present));
    await expectRefused(repository, "dev/app/API_KEY", `it is generation ${idOf(older)}, found as ${idOf(present)}`);
  });

  it("is refused when it was made to look at home", async () => {
    const repository = await createGenerations();
    const present = presentGeneration(repository);
    const older = generationsOf(repository, "dev/app").find((name) => name !== present) ?? "";
    const text = repository.read(`secrets/dev/app.keys/${older}`);
    repository.write(`secrets/dev/app.keys/${present}`, text.replaceAll(idOf(older), idOf(present)));
    await expectRefused(repository, "dev/app/API_KEY", "its key does not belong to its name");
  });
});

async function createScopes(): Promise<TestRepository> {
  const repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  for (const address of ["dev/app/API_KEY", "dev/app/DB_URL", "dev/web/API_KEY"]) {
    await repository.ok(["set", address, "--stdin"], { stdin: `test-value-of-${address}` });
  }
  return repository;
}

async function createGenerations(): Promise<TestRepository> {
  const repository = await createScopes();
  await repository.ok(["rekey", "dev/app", "--yes"]);
  return repository;
}

/** Reading the secret fails with `message`, or one of `others`, and so does the whole scope; neither shows a value. */
async function expectRefused(
  repository: TestRepository,
  address: string,
  message: string,
  others: readonly string[] = [],
): Promise<void> {
  const scope = address.slice(0, address.lastIndexOf("/"));
  for (const argv of [
    ["get", address, "--reveal", "--yes"],
    ["decrypt", scope, "--yes"],
  ]) {
    const { code, stdout, stderr } = await repository.run(argv);
    const said = [message, ...others].find((text) => stderr.includes(text)) ?? message;
    expect(stderr).toContain(said);
    expect({ code, stdout }).toEqual({ code: exitCodes.integrity, stdout: "" });
    expect(stderr).not.toContain("test-value");
  }
}

function recordOf(repository: TestRepository, path: string, name: string): string {
  return new RegExp(`^${name}: (.*)$`, "m").exec(repository.read(path))?.[1] ?? "";
}

function putRecord(repository: TestRepository, path: string, name: string, record: string): void {
  repository.write(path, repository.read(path).replace(new RegExp(`^${name}: .*$`, "m"), `${name}: ${record}`));
}

function generationsOf(repository: TestRepository, scope: string): string[] {
  return readdirSync(join(repository.root, "secrets", `${scope}.keys`)).toSorted();
}

/** File name of the generation that the others are not. */
function presentGeneration(repository: TestRepository): string {
  const names = generationsOf(repository, "dev/app");
  return names.find((name) => !repository.read(`secrets/dev/app.keys/${name}`).includes("previous: none")) ?? "";
}

function idOf(file: string): string {
  return file.replace(".yaml", "");
}

function fileOf(repository: TestRepository, scope: string, name: string): string {
  return join(repository.root, "secrets", `${scope}.keys`, name);
}
