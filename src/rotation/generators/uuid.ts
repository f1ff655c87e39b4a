import { z } from "zod";
import { Secret } from "../../secret/secret.ts";
import type { Generator } from "./generator.ts";

export interface UuidOptions {
  readonly version: 4 | 7;
}

/**
 * A UUID: version 4, random (RFC 9562 section 5.4), or version 7, which begins with the time in
 * milliseconds and so tells when it was made (section 5.7).
 */
export const uuidGenerator: Generator<UuidOptions> = {
  name: "uuid",
  describe: "a UUID, random or with the time first",
  optionHelp: ["version=4 (or 7, which shows when it was made)"],
  options: z.strictObject({ version: z.literal([4, 7]).default(4) }),
  generate: async ({ version }, sources) => {
    const bytes = Buffer.from(sources.random(16));
    if (version === 7) bytes.writeUIntBE(sources.now().getTime(), 0, 6);
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | (version << 4);
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    return Secret.text(bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"));
  },
  // Of 128 bits, 6 are version and variant, and in version 7 another 48 are the time.
  strength: ({ version }) => ({ kind: "entropy", bits: version === 7 ? 74 : 122 }),
};
