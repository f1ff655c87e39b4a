import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dropKeyLines, listKeyTexts, parseMemberFile, printMemberKeys } from "../../src/access/member-file.ts";
import { generateIdentity } from "../../src/crypto/identity.ts";

const age = await Promise.all(
  [1, 2, 3].map(async (byte) => (await generateIdentity("x25519", (size) => Buffer.alloc(size, byte))).recipient.text),
);
const [alice = "", bob = ""] = age;

/** A key of a type that only signs; its blob is of the right shape. */
function ecdsaKey(byte: number): string {
  const string = (bytes: Uint8Array) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const type = "ecdsa-sha2-nistp256";
  const point = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, byte)]);
  const blob = Buffer.concat([Buffer.from(type), Buffer.from("nistp256"), point].map(string));
  return `${type} ${blob.toString("base64")}`;
}

/** A real ssh-ed25519 key, so that it can be encrypted to. */
function ed25519Key(): string {
  const jwk = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
  const blob = Buffer.concat([
    Buffer.from([0, 0, 0, 11]),
    Buffer.from("ssh-ed25519"),
    Buffer.from([0, 0, 0, 32]),
    Buffer.from(jwk.x ?? "", "base64url"),
  ]);
  return `ssh-ed25519 ${blob.toString("base64")}`;
}

const ssh = ed25519Key();
const other = ed25519Key();
const ecdsa = ecdsaKey(7);

function parse(text: string) {
  const { keys, lines, findings } = parseMemberFile(Buffer.from(text), "bob.pub");
  return { recipients: keys.recipients.map((key) => key.text), signing: keys.signingKeys, lines, findings };
}

describe("parseMemberFile", () => {
  it("takes as recipients what age encrypts to, and every SSH key as one that signs", () => {
    const text = `# keys of bob\n${alice}\r\n\n${ssh} bob@example.test\n${ecdsa} old\n# signing-key ${other} laptop\n`;
    expect(parse(text)).toEqual({
      recipients: [alice, ssh],
      signing: [ssh, ecdsa, other],
      lines: new Map([
        [alice, 2],
        [ssh, 4],
        [ecdsa, 5],
        [other, 6],
      ]),
      findings: [],
    });
  });

  it.each([
    ["a key that is cut short", `${alice}\nage1abc\n`, 2],
    ["a private key", "\nAGE-SECRET-KEY-1TEST\n", 2],
    ["a comment that should be a signing key", `${alice}\n# signing-key\n`, 2],
    ["a signing key that is cut short", `# signing-key ${ssh.slice(0, 40)}\n`, 1],
    ["a recipient as a signing key", `# signing-key ${alice}\n`, 1],
    ["a key that stands there twice", `${alice}\n${bob}\n${alice}\n`, 3],
    ["an SSH key that reads and only signs", `${ssh}\n# signing-key ${ssh} again\n`, 2],
    ["blanks around a key", ` ${alice}\n`, 1],
  ])("finds %s, with its line and never its text", (_what, text, line) => {
    const { findings } = parse(text);
    expect(findings).toMatchObject([{ rule: "member-file", severity: "error", line }]);
    expect(findings[0]?.message).not.toMatch(/age1[a-z0-9]{8}|age1abc|AAAA|TEST/);
  });

  it("leaves other comments alone", () => {
    const text = `# signing-keys are below\n#signing\n# a signing-key\n#\n${alice}\n`;
    expect(parse(text)).toMatchObject({ recipients: [alice], signing: [], findings: [] });
  });

  it("reads back what printMemberKeys prints", () => {
    const keys = fc.subarray([...age, ssh, other, ecdsa]);
    fc.assert(
      fc.property(keys, fc.subarray([ssh, other, ecdsa]), (reading, signing) => {
        const recipients = parseMemberFile(Buffer.from(reading.join("\n")), "a").keys;
        const wanted = {
          recipients: recipients.recipients,
          signingKeys: [...new Set([...recipients.signingKeys, ...signing])],
        };
        const read = parseMemberFile(Buffer.from(printMemberKeys(wanted)), "b");
        expect(read.findings).toEqual([]);
        expect(read.keys.recipients).toEqual(wanted.recipients);
        expect(read.keys.signingKeys.toSorted()).toEqual(wanted.signingKeys.toSorted());
      }),
    );
  });
});

describe("dropKeyLines", () => {
  it("takes the lines of some keys out and changes no other byte", () => {
    const text = `# bob\n${alice}\r\n\n# signing-key ${other} x\n${ssh} y`;
    const file = parseMemberFile(Buffer.from(text), "bob.pub");
    expect(listKeyTexts(file.keys)).toEqual([alice, ssh, other]);
    expect(dropKeyLines(text, file, [other])).toBe(`# bob\n${alice}\r\n\n${ssh} y`);
    expect(dropKeyLines(text, file, [alice, ssh])).toBe(`# bob\n\n# signing-key ${other} x\n`);
    expect(dropKeyLines(text, file, [])).toBe(text);
  });
});
