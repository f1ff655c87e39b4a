import type { SealtreeError } from "../errors.ts";
import type { Finding } from "./finding.ts";
import { accessPolicyPath } from "./layout.ts";

/** A failure as a finding of `rule`; where it stands is left out of the message, which the finding says itself. */
export function findingOf(
  rule: string,
  error: SealtreeError,
  at: { readonly file?: string; readonly line?: number } = {},
): Finding {
  const file = error.file ?? at.file ?? accessPolicyPath;
  const line = error.line ?? at.line;
  const place = [`${file}:${line ?? 0}: `, `${file}: `].find((prefix) => error.message.startsWith(prefix)) ?? "";
  const [hint] = error.hints;
  return {
    rule,
    severity: "error",
    message: error.message.slice(place.length),
    file,
    ...(line === undefined ? {} : { line }),
    ...(hint === undefined ? {} : { hint }),
  };
}
