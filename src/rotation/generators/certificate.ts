import type { KeyObject } from "node:crypto";
import type { ZodType } from "zod";
import { Secret } from "../../secret/secret.ts";
import {
  certificateOptions,
  requestOptions,
  subjectHelp,
  subjectTextOptions,
  type CertificateOptions,
  type RequestOptions,
} from "./certificate-options.ts";
import type { Generator } from "./generator.ts";
import { chosenKey, keyStrength, makePrivateKey } from "./key-pair.ts";
import { parsePrivateKey, printPrivateKey } from "./pem-key.ts";

/**
 * A private key with a certificate that it signs itself, good from the second it is made. The
 * public half is the certificate in the value, and without one a new certificate of the key.
 */
export const certificateGenerator = signedKeyGenerator<CertificateOptions>({
  name: "certificate",
  describe: "a key with a self-signed certificate",
  optionHelp: [...subjectHelp, "days=365 (1 to 3650)", "bundle=true (false: the key alone)"],
  options: certificateOptions,
  label: "CERTIFICATE",
  sign: async (key, options, madeAt) => (await import("./x509.ts")).printCertificate(key, options, madeAt),
});

/**
 * A private key with a certificate request (PKCS #10, RFC 2986) for an authority to sign. The
 * public half is the request in the value, and without one a new request of the key.
 */
export const requestGenerator = signedKeyGenerator<RequestOptions>({
  name: "csr",
  describe: "a key with a certificate request",
  optionHelp: [...subjectHelp, "bundle=true (false: the key alone)"],
  options: requestOptions,
  label: "CERTIFICATE REQUEST",
  sign: async (key, options) => (await import("./x509.ts")).printRequest(key, options),
});

interface SignedKeyParts<Options> {
  readonly name: string;
  readonly describe: string;
  readonly optionHelp: readonly string[];
  readonly options: ZodType<Options>;
  readonly label: "CERTIFICATE" | "CERTIFICATE REQUEST";
  /** PEM of what the key signs. */
  readonly sign: (key: KeyObject, options: Options, madeAt: Date) => Promise<string>;
}

function signedKeyGenerator<Options extends RequestOptions>(parts: SignedKeyParts<Options>): Generator<Options> {
  const { label, sign, ...described } = parts;
  return {
    ...described,
    textOptions: subjectTextOptions,
    generate: async (options, sources) => {
      const key = await makePrivateKey(chosenKey(options), sources.random);
      return Secret.text(printPrivateKey(key) + (options.bundle ? await sign(key, options, sources.now()) : ""));
    },
    strength: (options) => keyStrength(chosenKey(options)),
    publicHalf: async (value, options, madeAt) => {
      const key = parsePrivateKey(value);
      const block = new RegExp(`^-----BEGIN ${label}-----\n[A-Za-z0-9+/=\n]+\n-----END ${label}-----$`, "m").exec(
        value,
      );
      const { isOfKey } = await import("./x509.ts");
      if (block !== null && isOfKey(block[0], label, key)) return `${block[0]}\n`;
      return await sign(key, options, madeAt);
    },
  };
}
