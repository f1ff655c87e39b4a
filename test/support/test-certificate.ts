import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { printCertificate } from "../../src/rotation/generators/x509.ts";

export interface TestCertificate {
  readonly key: KeyObject;
  readonly keyPem: string;
  readonly pem: string;
}

/** A key and a certificate for itself, as the controller of sealed-secrets has one. */
export function makeTestCertificate(
  options: { readonly type?: "rsa" | "ec"; readonly at?: Date; readonly ip?: readonly string[] } = {},
): TestCertificate {
  const pair =
    options.type === "ec"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = createPrivateKey(pair.privateKey.export({ type: "pkcs8", format: "pem" }));
  const content = { cn: "sealtree test", dns: [], ip: [...(options.ip ?? [])], uri: [], email: [], days: 2 };
  return {
    key,
    keyPem: key.export({ type: "pkcs8", format: "pem" }).toString(),
    pem: printCertificate(key, content, options.at ?? new Date()),
  };
}
