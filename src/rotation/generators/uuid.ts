import { z } from "zod";
import { Secret } from "../../secret/secret.ts";
import type { Generator } from "./generator.ts";

export type UuidOptions = Readonly<Record<string, never>>;

/** A random UUID, version 4 (RFC 9562 section 5.4). */
export const uuidGenerator: Generator<UuidOptions> = {
  name: "uuid",
  describe: "a random UUID, version 4",
  optionHelp: [],
  options: z.strictObject({}),
  generate: (_options, random) => {
    const bytes = Buffer.from(random(16));
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    return Secret.text(bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"));
  },
  entropyBits: () => 122,
};
