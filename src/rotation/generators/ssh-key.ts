import { z } from "zod";
import { Secret } from "../../secret/secret.ts";
import { unfitValue, type Generator } from "./generator.ts";
import {
  chosenKey,
  fitsKey,
  keyStrength,
  makePrivateKey,
  signingKeyFields,
  signingKeyName,
  type SigningKeyOptions,
} from "./key-pair.ts";
import { findPublicKeyOfFile, printSshPrivateFile } from "./ssh-private-file.ts";

export interface SshKeyOptions extends SigningKeyOptions {
  /** Stands behind the public key; without, nothing does. */
  readonly comment: string;
}

/** An SSH key pair: OpenSSH's file of the private half, and the one line of the public half. */
export const sshKeyGenerator: Generator<SshKeyOptions> = {
  name: "ssh",
  describe: "an SSH key pair, in OpenSSH's format",
  optionHelp: [
    "key=ed25519 (or ecdsa, rsa)",
    "bits=3072 (of rsa)",
    "curve=p256 (of ecdsa; or p384, p521)",
    "comment=TEXT (behind the public key)",
  ],
  textOptions: { comment: "text" },
  options: z
    .strictObject({
      key: signingKeyName.default("ed25519"),
      ...signingKeyFields,
      comment: z
        .string()
        .regex(/^(?:[!-~](?:[ -~]{0,98}[!-~])?)?$/)
        .default(""),
    })
    .refine(fitsKey),
  generate: async (options, { random }) =>
    Secret.text(printSshPrivateFile(await makePrivateKey(chosenKey(options), random), options.comment, random)),
  strength: (options) => keyStrength(chosenKey(options)),
  publicHalf: async (value, { comment }) => {
    const key = findPublicKeyOfFile(value);
    if (key === undefined) throw unfitValue("a private key in OpenSSH's format");
    return `${[key.text, comment].join(" ").trimEnd()}\n`;
  },
};
