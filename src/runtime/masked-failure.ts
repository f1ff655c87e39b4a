import { exitCodes, hasCode, isSealtreeError, SealtreeError } from "../errors.ts";
import { isProviderFailure } from "../net/provider-failure.ts";
import { createOutputMask } from "../resolve/output-mask.ts";
import type { Secret } from "../secret/secret.ts";

/**
 * Any failure as one that the library may throw: ours, without its cause, and without any form of the
 * `known` values in its words. Of an error that is not ours nothing is repeated: a driver may quote what
 * it was given.
 */
export function maskedFailure(error: unknown, source: string, known: Iterable<Secret>): SealtreeError {
  const mask = maskerOf(known);
  if (isSealtreeError(error)) {
    return new SealtreeError(error.code, mask(error.message), {
      hints: error.hints.map(mask),
      ...(error.file === undefined ? {} : { file: error.file }),
      ...(error.line === undefined ? {} : { line: error.line }),
    });
  }
  if (isProviderFailure(error)) {
    return new SealtreeError("E_PROVIDER", mask(`${source} (${error.class}): ${error.message}`), {
      hints: error.hints.map(mask),
    });
  }
  return new SealtreeError("E_PROVIDER", `${source} failed in a way that is not known`, {
    hints: ["health() shows which sources fail, and for how long"],
  });
}

/** True for a failure of the moment or of a missing right, which another source may make good. False for data that is not right. */
export function isPassedOver(failure: SealtreeError): boolean {
  return failure.exitCode === exitCodes.provider || hasCode(failure, "E_NO_ACCESS", "E_NO_IDENTITY");
}

function maskerOf(known: Iterable<Secret>): (text: string) => string {
  const start = createOutputMask(known);
  return (text) => {
    const mask = start();
    return Buffer.concat([mask.push(Buffer.from(text)), mask.end()]).toString("utf8");
  };
}
