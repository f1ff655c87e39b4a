import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { isProviderFailure, type ProviderFailure } from "../../../src/net/provider-failure.ts";
import { execRotator } from "../../../src/rotation/rotators/exec.ts";
import type {
  ChosenProvider,
  MintedProvider,
  Provider,
  RolledProvider,
} from "../../../src/rotation/rotators/provider.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { referenceKey } from "../../../src/services/secret-reference.ts";
import { partOf, providerAccess } from "../../support/provider-access.ts";
import { provesContract } from "../../support/provider-contract.ts";
import { makeThrowAway } from "../../support/throw-away.ts";

const example = fileURLToPath(new URL("../../../examples/rotators/token-file.js", import.meta.url));
const credential = { id: "x", parts: { value: Secret.text("test-value-of-exec") } };

async function openFor(rule: object, directory?: string): Promise<Provider> {
  const environment = { PATH: process.env["PATH"] ?? "", REGION: "test-region", ADMIN: "test-admin-token" };
  const access = { ...providerAccess(environment), ...(directory === undefined ? {} : { directory }) };
  const provider = await execRotator.provider?.open(execRotator.options.parse(rule), access);
  if (provider === undefined) throw new Error("no provider");
  return provider;
}

/** A rotator that is a few words of JavaScript, with what it was given as `input`. */
function script(body: string, own: object = {}): object {
  const text = `const input = JSON.parse(require("fs").readFileSync(0, "utf8")); ${body}`;
  return { kind: "chosen", command: [process.execPath, "-e", text], ...own };
}

/** A rotator that is a line of shell, which starts sooner; it reads its input to the end. */
function shell(line: string, own: object = {}): object {
  return { kind: "chosen", command: ["sh", "-c", `cat > /dev/null; ${line}`], ...own };
}

function printing(text: string, own: object = {}): object {
  return { kind: "chosen", command: ["sh", "-c", 'cat > /dev/null; printf %s "$1"', "sh", text], ...own };
}

async function failureOf(work: Promise<unknown>): Promise<ProviderFailure> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isProviderFailure(error)) throw new Error("it did not fail as a provider does");
  expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/test-(?:value|admin)/);
  return error;
}

async function chosen(rule: object): Promise<ChosenProvider> {
  return (await openFor(rule)) as ChosenProvider;
}

describe("the example of a rotator program", () => {
  provesContract(
    async () => {
      const file = join(makeThrowAway("sealtree-tokens-"), "tokens.json");
      const present = "test-first-token";
      const hash = createHash("sha256").update(present).digest("hex");
      writeFileSync(file, JSON.stringify({ tokens: [hash] }));
      const rule = { kind: "chosen", command: [process.execPath, example], settings: { file } };
      return {
        provider: await openFor(rule),
        present: { value: Secret.text(present) },
        strange: { value: Secret.text("test-nothing") },
        unreachable: async () => await openFor({ ...rule, settings: { file: `${file}.none` } }),
        logText: () => readFileSync(file, "utf8"),
      };
    },
    { kind: "chosen" },
  );

  it("has no room for more than 16 tokens", async () => {
    const file = join(makeThrowAway("sealtree-tokens-"), "tokens.json");
    writeFileSync(file, JSON.stringify({ tokens: Array.from({ length: 16 }).map(String) }));
    const provider = await chosen({ kind: "chosen", command: [process.execPath, example], settings: { file } });
    expect((await failureOf(provider.preflight(undefined))).class).toBe("limit");
  });
});

describe("a rotator program", () => {
  it("gets the step, settings, secrets and credentials on stdin, and no more of the environment than is said", async () => {
    const folder = makeThrowAway("sealtree-exec-");
    const own = {
      settings: { a: [1, null] },
      secrets: { admin: "${env:ADMIN}" },
      environment: ["REGION"],
    };
    const body = `
      require("fs").writeFileSync("seen.json", JSON.stringify({ input, names: Object.keys(process.env), argv: process.argv }));
      process.stdout.write("{}");`;
    const provider = (await openFor(script(body, own), folder)) as ChosenProvider;
    await provider.apply(credential, { id: "y", parts: { value: Secret.text("test-old") } });
    const seen = JSON.parse(readFileSync(join(folder, "seen.json"), "utf8")) as Record<string, string[]>;
    expect(seen["input"]).toEqual({
      sealtree: 1,
      step: "apply",
      settings: { a: [1, null] },
      secrets: { admin: "test-admin-token" },
      credential: { id: "x", value: "test-value-of-exec" },
      current: { id: "y", value: "test-old" },
    });
    expect(seen["names"]?.filter((name) => !name.startsWith("__")).toSorted()).toEqual(["PATH", "REGION"]);
    expect(seen["argv"]).toHaveLength(1);
  });

  it.each([
    [10, "rejected"],
    [11, "auth"],
    [12, "limit"],
    [20, "transient"],
    [30, "unknown"],
    [1, "unknown"],
    [127, "unknown"],
  ])("that ends with exit %i is %s", async (code, failureClass) => {
    const provider = await chosen(shell(`echo test-value; echo test-value >&2; exit ${code}`));
    expect((await failureOf(provider.apply(credential, undefined))).class).toBe(failureClass);
  });

  it("that ends without a clear word is transient where it changes nothing", async () => {
    const provider = await chosen(shell("exit 1"));
    expect((await failureOf(provider.preflight(undefined))).class).toBe("transient");
    expect(await provider.probe(credential)).toBe("unknown");
    expect((await failureOf(provider.identify(credential.parts))).class).toBe("transient");
  });

  it("that a signal ended is unknown", async () => {
    const provider = await chosen(shell("kill -9 $$"));
    expect((await failureOf(provider.revoke(credential))).class).toBe("unknown");
  });

  it.each(["", "{", "{} {}", "[]", "null", '{"extra": 1}', '{"liveness": "yes"}', "test-value", "\\u0000"])(
    "that prints %j has said nothing",
    async (text) => {
      const provider = await chosen(printing(text));
      expect((await failureOf(provider.apply(credential, undefined))).class).toBe("unknown");
      expect((await failureOf(provider.probe(credential))).class).toBe("rejected");
    },
  );

  it("that prints more than 1 MiB has said nothing", async () => {
    const provider = await chosen(
      script('process.stdout.write(JSON.stringify({ remarks: [] }) + " ".repeat(1024 * 1024))'),
    );
    expect((await failureOf(provider.preflight(undefined))).class).toBe("rejected");
  });

  it("that cannot be started is said by its code", async () => {
    const provider = await chosen({ kind: "chosen", command: ["/nowhere/test-program"] });
    const failure = await failureOf(provider.apply(credential, undefined));
    expect(failure).toMatchObject({ class: "auth", message: expect.stringContaining("ENOENT") });
  });

  it("may end without reading what it is given", async () => {
    const large = { id: "x", parts: { value: Secret.text("test-value".repeat(100_000)) } };
    const provider = await chosen({ kind: "chosen", command: ["echo", "{}"] });
    await expect(provider.apply(large, undefined)).resolves.toBeUndefined();
  });

  it("is not given a value that is no text", async () => {
    const binary = { id: "x", parts: { value: Secret.of(Buffer.from([0xff]), "binary") } };
    expect((await failureOf((await chosen(printing("{}"))).apply(binary, undefined))).class).toBe("auth");
  });

  it("that takes too long is ended with all that it started, and is unknown", async () => {
    const folder = makeThrowAway("sealtree-exec-");
    const line = "sleep 1000 & echo $! > pid; wait";
    const provider = (await openFor(shell(line, { timeout_seconds: 1 }), folder)) as ChosenProvider;
    const failure = await failureOf(provider.apply(credential, undefined));
    expect(failure).toMatchObject({ class: "unknown", message: expect.stringContaining("did not end within 1 s") });
    await expectGone(Number(readFileSync(join(folder, "pid"), "utf8")));
  });

  it("takes with it what it left behind", async () => {
    const folder = makeThrowAway("sealtree-exec-");
    const provider = (await openFor(shell("sleep 1000 & echo $! > pid; echo '{}'"), folder)) as ChosenProvider;
    await provider.apply(credential, undefined);
    await expectGone(Number(readFileSync(join(folder, "pid"), "utf8")));
  });
});

describe("a credential by a program", () => {
  it("may be of the user whose turn it is", async () => {
    const body = `
      const answers = { choose: { id: input.current?.id === "app_a" ? "app_b" : "app_a" }, identify: { id: "app_a" } };
      process.stdout.write(JSON.stringify(answers[input.step]));`;
    const provider = await chosen(script(body, { chooses_id: true, with_id: true }));
    const current = await provider.identify(credential.parts);
    expect(current?.id).toBe("app_a");
    const next = await provider.choose(current);
    expect([next.id, partOf(next, "id"), partOf(next, "value").length]).toEqual(["app_b", "app_b", 40]);
    expect(
      await (await chosen(printing('{"id": null}', { chooses_id: true }))).identify(credential.parts),
    ).toBeUndefined();
  });

  it("may be minted, and known by its note", async () => {
    const body = `
      const credentials = [{ id: "k1" }, { id: "k2", note: "sealtree-" + "0123456789abcdef" }];
      const answers = { mint: { id: "k3", value: "test-minted " + input.tag }, inventory: { credentials } };
      process.stdout.write(JSON.stringify(answers[input.step]));`;
    const provider = (await openFor(script(body, { kind: "minted" }))) as MintedProvider;
    const minted = await provider.mint("0123456789abcdef");
    expect([minted.id, partOf(minted, "value")]).toEqual(["k3", "test-minted 0123456789abcdef"]);
    expect(await provider.inventory()).toEqual(["k1", "k2"]);
    const tagged = ["k1", "k2", "k9"].map(async (id) => await provider.isTagged(id, "0123456789abcdef", new Date()));
    expect(await Promise.all(tagged)).toEqual([undefined, true, undefined]);
    expect(
      (
        await failureOf(
          ((await openFor(printing('{"id": "a b", "value": "x"}', { kind: "minted" }))) as MintedProvider).mint("0"),
        )
      ).class,
    ).toBe("unknown");
  });

  it("may be rolled", async () => {
    const body = 'process.stdout.write(JSON.stringify({ roll: { value: "test-rolled" }, revoke: {} }[input.step]))';
    const provider = (await openFor(script(body, { kind: "rolled", outage: "accept" }))) as RolledProvider;
    const rolled = await provider.roll(credential);
    expect(partOf(rolled, "value")).toBe("test-rolled");
    await provider.revoke(credential);
  });
});

describe("the options of exec", () => {
  it.each([
    ["no command", { kind: "chosen", command: [] }],
    ["an empty program", { kind: "chosen", command: [""] }],
    ["a NUL", { kind: "chosen", command: ["a\0b"] }],
    ["a variable of our own", { kind: "chosen", command: ["a"], environment: ["SEALTREE_IDENTITY"] }],
    ["a value for a secret", { kind: "chosen", command: ["a"], secrets: { a: "test-value" } }],
    ["no word about the outage", { kind: "rolled", command: ["a"] }],
    ["an outage that is none", { kind: "minted", command: ["a"], outage: "accept" }],
    ["an id that is none", { kind: "chosen", command: ["a"], with_id: true }],
    ["a choice that is none", { kind: "minted", command: ["a"], chooses_id: true }],
    ["an option that is none", { kind: "chosen", command: ["a"], shell: true }],
  ])("are refused with %s", (_, rule) => {
    const result = execRotator.options.safeParse(rule);
    expect(result.success).toBe(false);
    expect(JSON.stringify(result.error?.issues.map(({ message }) => message))).not.toContain("test-value");
  });

  it("say all their references, and what ends", () => {
    const options = execRotator.options.parse({
      kind: "rolled",
      command: ["a"],
      outage: "accept",
      secrets: { a: "${secret:prod/admin/A}" },
      environment: ["REGION", "PATH"],
    });
    const names = execRotator.provider?.references(options).map((it) => referenceKey(it).replace(/^.*[:/]/, ""));
    expect(names).toEqual(["A", "PATH", "REGION"]);
    expect(execRotator.provider?.outage(options)).toContain("ends at once");
  });
});

/** The system takes a moment to bury a process that was killed. */
async function expectGone(pid: number): Promise<void> {
  await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
}

function isRunning(pid: number): boolean {
  try {
    // A zombie that nobody waits for is dead as well.
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
