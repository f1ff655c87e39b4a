import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { createPrivateKey, createPublicKey, verify, X509Certificate } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import { CertificationRequest } from "@peculiar/asn1-csr";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generateValue, parseGeneratorOptions, publicHalfOf } from "../../../src/rotation/generator-spec.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { seededNow, seededSources } from "../../support/seeded-sources.ts";

type Written = Readonly<Record<string, unknown>>;

async function makeCertificate(options: Written, seed = "a test certificate", now = seededNow) {
  const spec = parseGeneratorOptions({ kind: "certificate", ...options });
  const secret = await generateValue(spec, { ...seededSources(seed), now: () => now });
  const value = secret.revealText() ?? "";
  return { spec, value, publicHalf: await publicHalfOf(spec, secret, now) };
}

async function makeRequest(options: Written) {
  const spec = parseGeneratorOptions({ kind: "csr", ...options });
  const value = (await generateValue(spec, seededSources("a test request"))).revealText() ?? "";
  const publicHalf = await publicHalfOf(spec, Secret.text(value), seededNow);
  const der = Buffer.from(publicHalf.split("\n").slice(1, -2).join(""), "base64");
  return { value, publicHalf, der };
}

const keys: readonly Written[] = [
  { key: "ed25519" },
  { key: "ecdsa" },
  { key: "ecdsa", curve: "p384" },
  { key: "ecdsa", curve: "p521" },
  { key: "rsa", bits: 2048 },
];

describe("a certificate", () => {
  it.each(keys)("of %j is signed by the key beside it", async (options) => {
    const { value, publicHalf } = await makeCertificate({ cn: "test.example", ...options });
    const certificate = new X509Certificate(publicHalf);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(value))).toBe(true);
    expect(value.endsWith(publicHalf)).toBe(true);
  });

  it("says its subject, names and time, and that it is no authority", async () => {
    const { publicHalf } = await makeCertificate({
      cn: "Test Service",
      o: "Test Org",
      ou: "Prøve",
      c: "NO",
      dns: ["api.test", "*.api.test"],
      ip: ["127.0.0.1", "::1", "2001:db8::a:1"],
      uri: ["spiffe://api.test/service"],
      email: ["ops+test@api.test"],
      days: 30,
    });
    const certificate = new X509Certificate(publicHalf);
    expect(certificate.subject).toBe("C=NO\nO=Test Org\nOU=Prøve\nCN=Test Service");
    expect(certificate.issuer).toBe(certificate.subject);
    expect(certificate.subjectAltName).toBe(
      "DNS:api.test, DNS:*.api.test, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:0:0:A:1, URI:spiffe://api.test/service, email:ops+test@api.test",
    );
    expect(new Date(certificate.validFrom)).toEqual(new Date("2026-03-01T12:34:56Z"));
    expect(new Date(certificate.validTo)).toEqual(new Date("2026-03-31T12:34:56Z"));
    expect(certificate.ca).toBe(false);
    expect(certificate.checkHost("www.api.test")).toBe("*.api.test");
    expect(certificate.checkIP("::1")).toBe("::1");
    expect(certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  });

  it.each(keys)("of %j serves TLS to a client that trusts it and no other", async (options) => {
    const names = { cn: "test", dns: ["api.test"], ...options };
    // TLS looks at the clock.
    const { value, publicHalf } = await makeCertificate(names, "one key", new Date());
    const other = await makeCertificate(names, "another key", new Date());
    const server = createServer({ key: value, cert: value }, (socket) => socket.end());
    server.on("tlsClientError", () => undefined);
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const ask = async (ca: string) => {
      const socket = connect({ host: "127.0.0.1", port, servername: "api.test", ca });
      const outcome = await once(socket, "secureConnect").then(
        () => "trusted",
        (error: NodeJS.ErrnoException) => error.code,
      );
      socket.destroy();
      return outcome;
    };
    try {
      expect(await ask(publicHalf)).toBe("trusted");
      expect(await ask(other.publicHalf)).not.toBe("trusted");
    } finally {
      server.close();
    }
  });

  it("has no alternative names when there are none", async () => {
    expect(new X509Certificate((await makeCertificate({ cn: "test" })).publicHalf).subjectAltName).toBeUndefined();
  });

  it("says times after 2049 in the form for those (RFC 5280, section 4.1.2.5)", async () => {
    const spec = parseGeneratorOptions({ kind: "certificate", cn: "test", days: 3650 });
    const sources = { ...seededSources("far away"), now: () => new Date("2049-12-31T00:00:00Z") };
    const value = (await generateValue(spec, sources)).revealText() ?? "";
    const certificate = new X509Certificate(await publicHalfOf(spec, Secret.text(value), seededNow));
    expect(new Date(certificate.validTo)).toEqual(new Date("2059-12-29T00:00:00Z"));
  });

  it("has another serial number for another key or time", async () => {
    const serial = async (seed: string, madeAt: Date) => {
      const { spec, value } = await makeCertificate({ cn: "test", bundle: false }, seed);
      return new X509Certificate(await publicHalfOf(spec, Secret.text(value), madeAt)).serialNumber;
    };
    const later = new Date(seededNow.getTime() + 1000);
    const serials = [await serial("a", seededNow), await serial("b", seededNow), await serial("a", later)];
    expect(new Set(serials).size).toBe(3);
    expect(await serial("a", seededNow)).toBe(serials[0]);
  });

  it("stays out of the value when bundle is false, and begins when the value was made", async () => {
    const { value, publicHalf } = await makeCertificate({ cn: "test", key: "ed25519", bundle: false });
    expect(value).toMatch(/^-----BEGIN PRIVATE KEY-----\n[^-]+-----END PRIVATE KEY-----\n$/);
    const certificate = new X509Certificate(publicHalf);
    expect(certificate.checkPrivateKey(createPrivateKey(value))).toBe(true);
    expect(new Date(certificate.validFrom)).toEqual(new Date("2026-03-01T12:34:56Z"));
  });

  it("is the one in the value, and a new one when that is of another key", async () => {
    const { spec, value, publicHalf } = await makeCertificate({ cn: "test", key: "ed25519" });
    const later = new Date(seededNow.getTime() + 86_400_000);
    expect(await publicHalfOf(spec, Secret.text(value), later)).toBe(publicHalf);
    const other = await makeCertificate({ cn: "test", key: "ed25519" }, "another test certificate");
    const mixed = value.slice(0, value.indexOf("-----BEGIN CERTIFICATE")) + other.publicHalf;
    const made = new X509Certificate(await publicHalfOf(spec, Secret.text(mixed), later));
    expect(made.checkPrivateKey(createPrivateKey(value))).toBe(true);
    expect(new Date(made.validFrom)).toEqual(new Date("2026-03-02T12:34:56Z"));
  });

  it("is refused for a key that signs nothing", async () => {
    const agreement = await generateValue(parseGeneratorOptions({ kind: "x25519" }), seededSources("agreement"));
    const spec = parseGeneratorOptions({ kind: "certificate", cn: "test" });
    await expect(publicHalfOf(spec, agreement, seededNow)).rejects.toMatchObject({ code: "E_VALUE_UNFIT" });
  });
});

describe("a certificate request", () => {
  it.each(keys)("of %j is signed by the key beside it", async (options) => {
    const { value, der } = await makeRequest({ cn: "test.example", dns: ["test.example"], ...options });
    const request = AsnConvert.parse(der, CertificationRequest);
    const publicKey = createPublicKey(createPrivateKey(value));
    expect(Buffer.from(AsnConvert.serialize(request.certificationRequestInfo.subjectPKInfo))).toEqual(
      publicKey.export({ format: "der", type: "spki" }),
    );
    const hash =
      options["key"] === "ed25519" ? undefined : { p384: "sha384", p521: "sha512" }[String(options["curve"])];
    const info = Buffer.from(request.certificationRequestInfoRaw ?? new ArrayBuffer(0));
    const algorithm = options["key"] === "ed25519" ? undefined : (hash ?? "sha256");
    expect(verify(algorithm, info, publicKey, Buffer.from(request.signature))).toBe(true);
  });

  it("asks for the names", async () => {
    const { der } = await makeRequest({ cn: "Test Service", dns: ["api.test"], ip: ["10.1.2.3"] });
    expect(der.includes(Buffer.from("Test Service"))).toBe(true);
    expect(der.includes(Buffer.from("api.test"))).toBe(true);
    expect(der.includes(Buffer.of(0x87, 4, 10, 1, 2, 3))).toBe(true);
  });

  it("stands behind the key in the value unless bundle is false", async () => {
    const bundled = await makeRequest({ cn: "test", key: "ed25519" });
    expect(bundled.value.endsWith(bundled.publicHalf)).toBe(true);
    const alone = await makeRequest({ cn: "test", key: "ed25519", bundle: false });
    expect(alone.value).not.toContain("CERTIFICATE");
    expect(alone.publicHalf).toBe(bundled.publicHalf);
  });
});

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?$/);
const dnsName = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
const attribute = fc.stringMatching(/^[A-Za-z0-9 æøå,=+"\\<>;#/]{1,64}$/u).filter((text) => text.trim() === text);
const certificateOptions = fc.record(
  {
    cn: attribute,
    o: attribute,
    ou: attribute,
    c: fc.stringMatching(/^[A-Z]{2}$/),
    dns: fc.array(dnsName, { maxLength: 5 }),
    ip: fc.array(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6().filter((text) => !text.includes(".")),
      ),
      { maxLength: 5 },
    ),
    uri: fc.array(fc.webUrl({ withQueryParameters: true }), { maxLength: 3 }),
    days: fc.integer({ min: 1, max: 3650 }),
    key: fc.constantFrom("ed25519", "ecdsa"),
  },
  { requiredKeys: ["cn"], noNullPrototype: true },
);

describe("any certificate that the options allow", () => {
  it("is read by OpenSSL, verifies, and has the names it was given", async () => {
    await fc.assert(
      fc.asyncProperty(certificateOptions, async (options) => {
        const { publicHalf } = await makeCertificate(options);
        const certificate = new X509Certificate(publicHalf);
        expect(certificate.verify(certificate.publicKey)).toBe(true);
        expect(certificate.toLegacyObject().subject.CN).toBe(options.cn);
        for (const name of options.dns ?? []) expect(certificate.checkHost(name)).toBe(name);
        for (const address of options.ip ?? []) expect(certificate.checkIP(address)).toBe(address);
        if ((options.uri ?? []).length > 0) expect(certificate.subjectAltName).toContain("URI:");
      }),
      { numRuns: 40 },
    );
  });
});
