import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { decryptWithIdentities, listStanzas } from "../../src/crypto/age.ts";
import { encryptToRecipients } from "../../src/crypto/age-encrypt.ts";
import { generateIdentity, parseIdentities } from "../../src/crypto/identity.ts";
import { type GeneratedKind } from "../../src/crypto/recipient.ts";
import { parseRecipient } from "../../src/crypto/parse-recipient.ts";

const folder = mkdtempSync(join(tmpdir(), "sealtree-age-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const kinds: readonly GeneratedKind[] = ["x25519", "hybrid"];
const sizes = [0, 1, 65_536, 200_000];
const cases = [
  { program: "age", kind: "x25519" },
  { program: "age", kind: "hybrid" },
  { program: "rage", kind: "x25519" },
] as const;

/** Runs one program of .tools/bin; throws when it is not there or fails. */
function run(program: string, args: readonly string[], input: Uint8Array | string = ""): Buffer {
  const path = fileURLToPath(new URL(`../../.tools/bin/${program}`, import.meta.url));
  const { status, stdout, stderr, error } = spawnSync(path, args, { input, maxBuffer: 1 << 26 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} gave ${String(status)}: ${stderr.toString()}`);
  return stdout;
}

async function person(kind: GeneratedKind, name: string) {
  const { identity, recipient } = await generateIdentity(kind);
  const file = join(folder, name);
  writeFileSync(file, `${identity}\n`, { mode: 0o600 });
  return { file, recipient, identities: parseIdentities(identity) };
}

function bytesOf(size: number): Buffer {
  return Buffer.alloc(size, "a page of test text ");
}

describe.each(cases)("$program with a $kind key", ({ program, kind }) => {
  it.each(sizes)("opens %i bytes that we sealed", async (size) => {
    const reader = await person(kind, `${program}-${kind}-${size}`);
    const other = await person(kind, "other");
    const file = await encryptToRecipients([other.recipient, reader.recipient], bytesOf(size), "refused");
    expect(run(program, ["-d", "-i", reader.file], file).equals(bytesOf(size))).toBe(true);
    const stranger = await person(kind, "stranger");
    expect(() => run(program, ["-d", "-i", stranger.file], file)).toThrow(program);
  });

  it.each(sizes)("seals %i bytes that we open, binary and armored", async (size) => {
    const reader = await person(kind, `${program}-${kind}-${size}`);
    for (const form of [[], ["-a"]]) {
      const file = run(program, ["-r", reader.recipient.text, ...form], bytesOf(size));
      const opened = await decryptWithIdentities(file, reader.identities);
      expect(Buffer.compare(opened?.plaintext ?? Buffer.from("nothing"), bytesOf(size))).toBe(0);
      expect(await decryptWithIdentities(file, (await person(kind, "stranger")).identities)).toBeUndefined();
    }
  });
});

describe("age and rage", () => {
  it("open a file of mixed recipients, each with its own key", async () => {
    const [classic, hybrid] = [await person("x25519", "mixed-1"), await person("hybrid", "mixed-2")];
    const file = await encryptToRecipients([hybrid.recipient, classic.recipient], bytesOf(100), "allowed");
    for (const [program, reader] of [
      ["age", classic],
      ["age", hybrid],
      ["rage", classic],
    ] as const) {
      expect(run(program, ["-d", "-i", reader.file], file).equals(bytesOf(100))).toBe(true);
    }
  });

  it("seal to an identity file of ours, rage with a grease stanza at times", async () => {
    const [classic, hybrid] = [await person("x25519", "own-1"), await person("hybrid", "own-2")];
    expect(listStanzas(run("age", ["-e", "-i", classic.file]))).toEqual(["X25519"]);
    expect(listStanzas(run("age", ["-e", "-i", hybrid.file]))).toEqual(["mlkem768x25519"]);
    const [first, ...rest] = listStanzas(run("rage", ["-e", "-i", classic.file]));
    expect(first).toBe("X25519");
    expect(rest.filter((type) => !type.endsWith("-grease"))).toEqual([]);
  });
});

describe("age-keygen", () => {
  it.each(kinds)("makes %s identities that we read with the same recipient", async (kind) => {
    const text = run("age-keygen", kind === "hybrid" ? ["-pq"] : []).toString();
    const [recipient] = (await parseIdentities(text)[0]?.recipients()) ?? [];
    expect(recipient).toEqual(parseRecipient(/# public key: (.*)/.exec(text)?.[1] ?? ""));
    expect(recipient?.kind).toBe(kind);
  });

  it.each(kinds)("derives the recipient that we derive from a %s identity", async (kind) => {
    const { file, recipient } = await person(kind, `derive-${kind}`);
    expect(run("age-keygen", ["-y", file]).toString().trim()).toBe(recipient.text);
  });

  it("and rage-keygen agree on identity files with comments and CRLF", async () => {
    const { identity, recipient } = await generateIdentity("x25519");
    const text = `# a comment\r\n\r\n${identity}\r\n`;
    const file = join(folder, "crlf");
    writeFileSync(file, text, { mode: 0o600 });
    expect(await parseIdentities(text)[0]?.recipients()).toEqual([recipient]);
    for (const program of ["age-keygen", "rage-keygen"]) {
      expect(run(program, ["-y", file]).toString().trim()).toBe(recipient.text);
    }
  });
});
