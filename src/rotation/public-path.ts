import { policiesDirectory, secretsDirectory } from "../store/layout.ts";
import { hasPublicHalf, parseGeneratorOptions } from "./generator-spec.ts";
import type { RotatorName, WrittenOptions } from "./rotators/registry.ts";

const maxLength = 200;
const segment = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?$/;
const deviceName = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i;
const fileEnding = /\.(?:pub|pem|crt|cer|csr)$/;

/**
 * True for a path from the root of the repository at which a public half may be written: below
 * no `.`, `..` or hidden folder, such as `.git` or `.github`, not below `secrets/` or `policies/`
 * in any case of letters, and of a file that no program runs, `.pub`, `.pem`, `.crt`, `.cer` or
 * `.csr`. What stands there on disk is another question.
 */
export function isPublicPath(path: string): boolean {
  const segments = path.split("/");
  const [first = ""] = segments;
  return (
    path.length <= maxLength &&
    segments.every((text) => segment.test(text) && !deviceName.test(text)) &&
    ![secretsDirectory, policiesDirectory].includes(first.toLowerCase()) &&
    fileEnding.test(path)
  );
}

/** The part of a rule that says what its public half is and where it goes. */
interface PublicRule {
  readonly rotator: RotatorName;
  readonly options: WrittenOptions;
  readonly publicPath: string | undefined;
}

/**
 * What is wrong with the public paths of rules, by the address they are for: one belongs to one
 * secret, of which a generator makes a public half. Goes on after the address, such as
 * `has a public path, and what the generator hex makes has no public half`.
 */
export function findPublicProblems(rules: ReadonlyMap<string, PublicRule>): ReadonlyMap<string, string> {
  const problems = new Map<string, string>();
  const owners = new Map<string, string>();
  for (const [address, { rotator, options, publicPath }] of rules) {
    if (publicPath === undefined) continue;
    const key = publicPath.toLowerCase();
    const owner = owners.get(key);
    owners.set(key, owner ?? address);
    const spec = rotator === "generate" ? parseGeneratorOptions(options) : undefined;
    if (owner !== undefined) problems.set(address, `has the public path of ${owner}`);
    else if (spec === undefined) problems.set(address, "has a public path, and its rotator is not generate");
    else if (!hasPublicHalf(spec))
      problems.set(address, `has a public path, and what the generator ${spec.kind} makes has no public half`);
  }
  return problems;
}
