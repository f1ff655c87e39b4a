import { createHash, createPublicKey, sign, type KeyObject } from "node:crypto";
import { CertificationRequest, CertificationRequestInfo, Attributes } from "@peculiar/asn1-csr";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import * as x509 from "@peculiar/asn1-x509";
import type { CertificateSubject } from "./certificate-options.ts";
import { unfitValue } from "./generator.ts";

/** What a certificate says besides its key. */
export interface CertificateContent extends CertificateSubject {
  /** How long it is good, from when it is made. */
  readonly days: number;
}

type PemLabel = "CERTIFICATE" | "CERTIFICATE REQUEST";

const dayMs = 86_400_000;

/**
 * A certificate (RFC 5280, version 3) in PEM that the Ed25519, ECDSA or RSA `key` signs for
 * itself: of no authority, for TLS servers and clients. The serial number is made of the key
 * and the time. Ed25519 and RSA keys give the same certificate each time.
 */
export function printCertificate(key: KeyObject, content: CertificateContent, madeAt: Date): string {
  const notBefore = new Date(Math.floor(madeAt.getTime() / 1000) * 1000);
  const spki = publicKeyOf(key);
  const name = nameOf(content);
  const algorithm = algorithmOf(key);
  const serial = createHash("sha256").update(spki).update(notBefore.toISOString()).digest().subarray(0, 16);
  // Positive, and in as few bytes as DER asks for.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const tbsCertificate = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: bufferOf(serial),
    signature: algorithm.identifier,
    issuer: name,
    validity: new x509.Validity({ notBefore, notAfter: new Date(notBefore.getTime() + content.days * dayMs) }),
    subject: name,
    subjectPublicKeyInfo: AsnConvert.parse(spki, x509.SubjectPublicKeyInfo),
    extensions: new x509.Extensions([
      ...extensionsOf(key, content),
      extension(x509.id_ce_subjectKeyIdentifier, new x509.SubjectKeyIdentifier(bufferOf(keyIdentifier(spki)))),
    ]),
  });
  const signatureValue = bufferOf(sign(algorithm.hash, Buffer.from(AsnConvert.serialize(tbsCertificate)), key));
  return printPem(
    "CERTIFICATE",
    new x509.Certificate({ tbsCertificate, signatureAlgorithm: algorithm.identifier, signatureValue }),
  );
}

/** A certificate request (RFC 2986) in PEM, with the extensions that are wanted (RFC 2985, section 5.4.2). */
export function printRequest(key: KeyObject, subject: CertificateSubject): string {
  const algorithm = algorithmOf(key);
  const extensions = AsnConvert.serialize(new x509.Extensions(extensionsOf(key, subject)));
  const certificationRequestInfo = new CertificationRequestInfo({
    subject: nameOf(subject),
    subjectPKInfo: AsnConvert.parse(publicKeyOf(key), x509.SubjectPublicKeyInfo),
    attributes: new Attributes([new x509.Attribute({ type: extensionRequest, values: [extensions] })]),
  });
  const signature = bufferOf(sign(algorithm.hash, Buffer.from(AsnConvert.serialize(certificationRequestInfo)), key));
  return printPem(
    "CERTIFICATE REQUEST",
    new CertificationRequest({ certificationRequestInfo, signatureAlgorithm: algorithm.identifier, signature }),
  );
}

/** True when the certificate or request in a PEM block is about the public half of `key`. Checks no signature. */
export function isOfKey(block: string, label: PemLabel, key: KeyObject): boolean {
  const bytes = Buffer.from(block.split("\n").slice(1, -1).join(""), "base64");
  try {
    const info =
      label === "CERTIFICATE"
        ? AsnConvert.parse(bytes, x509.Certificate).tbsCertificate.subjectPublicKeyInfo
        : AsnConvert.parse(bytes, CertificationRequest).certificationRequestInfo.subjectPKInfo;
    return publicKeyOf(key).equals(Buffer.from(AsnConvert.serialize(info)));
  } catch {
    return false;
  }
}

const extensionRequest = "1.2.840.113549.1.9.14";
const attributeTypes = { c: "2.5.4.6", o: "2.5.4.10", ou: "2.5.4.11", cn: "2.5.4.3" } as const;

/** Signature algorithms: RFC 8410 for Ed25519, RFC 5758 for ECDSA, RFC 8017 for RSA. */
const algorithms = {
  ed25519: { oid: "1.3.101.112", hash: undefined },
  rsa: { oid: "1.2.840.113549.1.1.11", hash: "sha256" },
  prime256v1: { oid: "1.2.840.10045.4.3.2", hash: "sha256" },
  secp384r1: { oid: "1.2.840.10045.4.3.3", hash: "sha384" },
  secp521r1: { oid: "1.2.840.10045.4.3.4", hash: "sha512" },
} as const;

function algorithmOf(key: KeyObject): { identifier: x509.AlgorithmIdentifier; hash: string | undefined } {
  const name = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? "";
  const found = Object.hasOwn(algorithms, name) ? algorithms[name as keyof typeof algorithms] : undefined;
  if (found === undefined) throw unfitValue("a key that signs certificates");
  // RSA has NULL for its parameters; the others have none.
  const parameters = name === "rsa" ? { parameters: null } : {};
  return { identifier: new x509.AlgorithmIdentifier({ algorithm: found.oid, ...parameters }), hash: found.hash };
}

function publicKeyOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: "der", type: "spki" });
}

/** SHA-1 of the bits of the key: a name and not a proof (RFC 5280, section 4.2.1.2, method 1). */
function keyIdentifier(spki: Buffer): Buffer {
  const { subjectPublicKey } = AsnConvert.parse(spki, x509.SubjectPublicKeyInfo);
  return createHash("sha1").update(Buffer.from(subjectPublicKey)).digest();
}

function nameOf(subject: CertificateSubject): x509.Name {
  return new x509.Name(
    (["c", "o", "ou", "cn"] as const).flatMap((field) => {
      const text = subject[field];
      if (text === undefined) return [];
      const value = new x509.AttributeValue(field === "c" ? { printableString: text } : { utf8String: text });
      const attribute = new x509.AttributeTypeAndValue({ type: attributeTypes[field], value });
      return [new x509.RelativeDistinguishedName([attribute])];
    }),
  );
}

function extensionsOf(key: KeyObject, { dns, ip, uri, email }: CertificateSubject): x509.Extension[] {
  const names = [
    ...dns.map((dNSName) => new x509.GeneralName({ dNSName })),
    ...ip.map((iPAddress) => new x509.GeneralName({ iPAddress })),
    ...uri.map((uniformResourceIdentifier) => new x509.GeneralName({ uniformResourceIdentifier })),
    ...email.map((rfc822Name) => new x509.GeneralName({ rfc822Name })),
  ];
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  const usage = key.asymmetricKeyType === "rsa" ? digitalSignature | keyEncipherment : digitalSignature;
  return [
    extension(x509.id_ce_basicConstraints, new x509.BasicConstraints({ cA: false }), true),
    extension(x509.id_ce_keyUsage, new x509.KeyUsage(usage), true),
    extension(x509.id_ce_extKeyUsage, new x509.ExtendedKeyUsage([x509.id_kp_serverAuth, x509.id_kp_clientAuth])),
    ...(names.length > 0 ? [extension(x509.id_ce_subjectAltName, new x509.SubjectAlternativeName(names))] : []),
  ];
}

function extension(extnID: string, value: object, critical = false): x509.Extension {
  return new x509.Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function printPem(label: PemLabel, structure: object): string {
  const lines =
    Buffer.from(AsnConvert.serialize(structure))
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/** The bytes in a buffer of their own. */
function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
