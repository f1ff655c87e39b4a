import { z } from "zod";

/** The reference tokens of a JSON pointer (RFC 6901), decoded. */
export type JsonPointer = readonly string[];

/** An option that is a JSON pointer, such as `/data/0/id`; empty for the whole. */
export const jsonPointer = z
  .string()
  .max(1024)
  .regex(/^(?:\/(?:[^~/]|~[01])*)*$/, {
    error: "a JSON pointer (RFC 6901) is written /name/0/name, with ~1 for / and ~0 for ~",
  })
  .transform((text): JsonPointer =>
    text
      .split("/")
      .slice(1)
      .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~")),
  );

/** What a pointer points at (RFC 6901, section 4); undefined for what is not there. */
export function resolvePointer(document: unknown, pointer: JsonPointer): unknown {
  let found = document;
  for (const token of pointer) {
    if (typeof found !== "object" || found === null) return undefined;
    if (Array.isArray(found) && !/^(?:0|[1-9]\d{0,8})$/.test(token)) return undefined;
    if (!Object.hasOwn(found, token)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[token];
  }
  return found;
}
