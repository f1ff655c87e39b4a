import { createPrivateKey, createPublicKey, diffieHellman, sign, verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseIdentities } from "../../../src/crypto/identity.ts";
import { parseRecipient } from "../../../src/crypto/parse-recipient.ts";
import { parseSshIdentity } from "../../../src/crypto/ssh-identity.ts";
import { findSshPublicKey } from "../../../src/crypto/ssh-public-key.ts";
import { generateValue, parseGeneratorSpec, publicHalfOf } from "../../../src/rotation/generator-spec.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { seededNow, seededSources } from "../../support/seeded-sources.ts";

async function makePair(text: string, seed = text): Promise<{ value: string; publicHalf: string }> {
  const spec = parseGeneratorSpec(text);
  const secret = await generateValue(spec, seededSources(seed));
  return { value: secret.revealText() ?? "", publicHalf: await publicHalfOf(spec, secret, seededNow) };
}

describe("PEM key pairs", () => {
  it.each([
    ["ed25519", "ed25519", undefined],
    ["ecdsa", "ec", "prime256v1"],
    ["ecdsa:curve=p384", "ec", "secp384r1"],
    ["ecdsa:curve=p521", "ec", "secp521r1"],
    ["rsa:bits=2048", "rsa", undefined],
  ])(
    "of %s are PKCS#8 and SPKI, and the public half verifies what the private one signs",
    async (text, type, curve) => {
      const { value, publicHalf } = await makePair(text);
      expect(value).toMatch(/^-----BEGIN PRIVATE KEY-----\n[^-]+-----END PRIVATE KEY-----\n$/);
      expect(publicHalf).toMatch(/^-----BEGIN PUBLIC KEY-----\n[^-]+-----END PUBLIC KEY-----\n$/);
      const [privateKey, publicKey] = [createPrivateKey(value), createPublicKey(publicHalf)];
      expect(privateKey.asymmetricKeyType).toBe(type);
      expect(publicKey.asymmetricKeyDetails?.namedCurve).toBe(curve);
      const hash = type === "ed25519" ? undefined : "sha256";
      expect(verify(hash, Buffer.from("test"), publicKey, sign(hash, Buffer.from("test"), privateKey))).toBe(true);
    },
  );

  it("of RSA have the size that was asked for and the exponent 65537", async () => {
    const { value } = await makePair("rsa:bits=2048");
    expect(createPrivateKey(value).asymmetricKeyDetails).toMatchObject({ modulusLength: 2048, publicExponent: 65537n });
  });

  it("of x25519 agree with each other", async () => {
    const [one, other] = [await makePair("x25519", "one"), await makePair("x25519", "other")];
    const agree = (mine: typeof one, theirs: typeof one) =>
      diffieHellman({ privateKey: createPrivateKey(mine.value), publicKey: createPublicKey(theirs.publicHalf) });
    expect(agree(one, other)).toEqual(agree(other, one));
  });

  it("are made of the random source alone, but those of RSA", async () => {
    for (const text of ["ed25519", "x25519", "ecdsa", "ecdsa:curve=p521", "ssh", "ssh:key=ecdsa", "age"])
      expect(await makePair(text)).toEqual(await makePair(text));
    expect(await makePair("rsa:bits=2048")).not.toEqual(await makePair("rsa:bits=2048"));
  });

  it("has the Ed25519 key of RFC 8032, section 7.1, for its secret bytes", async () => {
    const seed = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
    const secret = await generateValue(parseGeneratorSpec("ed25519"), { random: () => seed, now: () => seededNow });
    const text = await publicHalfOf(parseGeneratorSpec("ed25519"), secret, seededNow);
    const { x = "" } = createPublicKey(text).export({ format: "jwk" });
    expect(Buffer.from(x, "base64url").toString("hex")).toBe(
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    );
  });

  it("has the ECDSA key of RFC 6979, appendix A.2.5, for its scalar", async () => {
    // The draw is one less than the scalar.
    const draw = Buffer.from("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6720", "hex");
    const secret = await generateValue(parseGeneratorSpec("ecdsa"), { random: () => draw, now: () => seededNow });
    const { x = "", y = "" } = createPublicKey(
      await publicHalfOf(parseGeneratorSpec("ecdsa"), secret, seededNow),
    ).export({ format: "jwk" });
    expect(Buffer.from(x, "base64url").toString("hex")).toBe(
      "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
    );
    expect(Buffer.from(y, "base64url").toString("hex")).toBe(
      "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
    );
  });
});

describe("SSH key pairs", () => {
  it.each([
    ["ssh", "ssh-ed25519"],
    ["ssh:comment=test@host", "ssh-ed25519"],
    ["ssh:key=rsa,bits=2048,comment=test key", "ssh-rsa"],
    ["ssh:key=ecdsa", "ecdsa-sha2-nistp256"],
    ["ssh:key=ecdsa,curve=p384", "ecdsa-sha2-nistp384"],
    ["ssh:key=ecdsa,curve=p521,comment=a", "ecdsa-sha2-nistp521"],
  ])("of %s are OpenSSH's file and one line", async (text, type) => {
    const { value, publicHalf } = await makePair(text);
    expect(value).toMatch(
      /^-----BEGIN OPENSSH PRIVATE KEY-----\n(?:[A-Za-z0-9+/]{70}\n)+[A-Za-z0-9+/=]{1,70}\n-----END OPENSSH PRIVATE KEY-----\n$/,
    );
    expect(findSshPublicKey(publicHalf.trimEnd())?.type).toBe(type);
    const comment = /comment=(.+)$/.exec(text)?.[1];
    expect(publicHalf.split(" ").slice(2).join(" ")).toBe(comment === undefined ? "" : `${comment}\n`);
    expect(publicHalf).toMatch(/^[^\n]+\n$/);
  });

  it.each(["ssh", "ssh:key=rsa,bits=2048"])("of %s are read by our own reader of identities", async (text) => {
    const { value, publicHalf } = await makePair(text);
    const ask = () => Promise.reject(new Error("there is no passphrase"));
    const [recipient] = await parseSshIdentity(value, "a test key", ask).recipients();
    expect(`${recipient?.text ?? ""}\n`).toBe(publicHalf);
  });

  it("pad the private part to 8 bytes, whatever the comment", async () => {
    for (let length = 1; length <= 8; length++) {
      const { value } = await makePair(`ssh:comment=${"c".repeat(length)}`);
      const ask = () => Promise.reject(new Error("there is no passphrase"));
      expect(await parseSshIdentity(value, "a test key", ask).recipients()).toHaveLength(1);
    }
  });
});

describe("age identities", () => {
  it.each([
    ["age", /^AGE-SECRET-KEY-PQ-1[0-9A-Z]+$/, "hybrid"],
    ["age:key=x25519", /^AGE-SECRET-KEY-1[0-9A-Z]+$/, "x25519"],
  ])("of %s are an identity and its recipient", async (text, shape, kind) => {
    const { value, publicHalf } = await makePair(text);
    expect(value).toMatch(shape);
    const recipient = parseRecipient(publicHalf.trimEnd());
    expect(recipient.kind).toBe(kind);
    const [identity] = parseIdentities(value);
    expect(await identity?.recipients()).toEqual([recipient]);
  });
});

describe("the public half of a value", () => {
  it("can be made of an older value, by the options of today", async () => {
    const old = await generateValue(parseGeneratorSpec("ssh:comment=old"), seededSources("an old test key"));
    const spec = parseGeneratorSpec("ssh:key=rsa,comment=new");
    expect(await publicHalfOf(spec, old, seededNow)).toMatch(/^ssh-ed25519 \S+ new\n$/);
  });

  it("is refused for a value of another kind, without a word of it", async () => {
    const values = [
      "canary",
      "",
      "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n",
      "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\n-----END OPENSSH PRIVATE KEY-----\n",
      "AGE-SECRET-KEY-1CANARY",
    ];
    for (const kind of ["ed25519", "rsa", "ssh", "age", "certificate:cn=test", "csr:cn=test"]) {
      for (const value of values) {
        const made = publicHalfOf(parseGeneratorSpec(kind), Secret.text(value), seededNow);
        await expect(made).rejects.toMatchObject({
          code: "E_VALUE_UNFIT",
          message: expect.not.stringMatching(/canary/i),
        });
      }
      const binary = publicHalfOf(parseGeneratorSpec(kind), Secret.of(Buffer.of(0xff, 0), "binary"), seededNow);
      await expect(binary).rejects.toMatchObject({ code: "E_VALUE_UNFIT" });
    }
  });

  it("is refused for two age identities, because one would have to be chosen", async () => {
    const { value } = await makePair("age:key=x25519");
    const made = publicHalfOf(parseGeneratorSpec("age"), Secret.text(`${value}\n${value}\n`), seededNow);
    await expect(made).rejects.toMatchObject({ code: "E_VALUE_UNFIT" });
  });

  it("is refused for an SSH key that misses a character", async () => {
    const { value } = await makePair("ssh");
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: value.length - 2 }), async (at) => {
        fc.pre(value[at] !== "\n");
        const cut = `${value.slice(0, at)}${value.slice(at + 1)}`;
        const outcome = await publicHalfOf(parseGeneratorSpec("ssh"), Secret.text(cut), seededNow).catch(
          (error: unknown) => error,
        );
        expect(outcome).toMatchObject({ code: "E_VALUE_UNFIT" });
      }),
      { numRuns: 100 },
    );
  });
});
