import type { Secret } from "../secret/secret.ts";
import { safeText } from "./safe-text.ts";

/** A value on one line, quoted and escaped as JSON is; bytes that are no text are only counted. */
export function printValue(secret: Secret): string {
  const text = secret.kind === "text" ? secret.revealText() : undefined;
  return text === undefined ? `<binary, ${secret.reveal().length} bytes>` : safeText(JSON.stringify(text));
}
