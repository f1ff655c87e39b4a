import { z } from "zod";
import { generateIdentity, parseIdentities, type Identity } from "../../crypto/identity.ts";
import { Secret } from "../../secret/secret.ts";
import { unfitValue, type Generator } from "./generator.ts";

export interface AgeIdentityOptions {
  readonly key: "hybrid" | "x25519";
}

/** An age identity (C2SP age.md); the public half is its recipient. */
export const ageIdentityGenerator: Generator<AgeIdentityOptions> = {
  name: "age",
  describe: "an age identity",
  optionHelp: ["key=hybrid (post-quantum, or x25519)"],
  options: z.strictObject({ key: z.enum(["hybrid", "x25519"]).default("hybrid") }),
  generate: async ({ key }, { random }) => Secret.text((await generateIdentity(key, random)).identity),
  // X25519 bounds both; a hybrid key keeps ML-KEM-768's category 3 against a quantum computer.
  strength: () => ({ kind: "security", bits: 128 }),
  publicHalf: async (value) => {
    const recipients = await findIdentity(value)?.recipients();
    if (recipients?.[0] === undefined) throw unfitValue("an age identity");
    return `${recipients[0].text}\n`;
  },
};

function findIdentity(value: string): Identity | undefined {
  try {
    const [identity, ...others] = parseIdentities(value);
    return others.length === 0 ? identity : undefined;
  } catch {
    return undefined;
  }
}
