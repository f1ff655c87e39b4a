import { isMemberName } from "../../store/generation-file.ts";
import {
  accessPolicyPath,
  membersDirectory,
  parseSecretsPath,
  rotationPolicyPath,
  secretsDirectory,
} from "../../store/layout.ts";
import { findingOf } from "../finding-of.ts";
import type { Rule } from "../rule.ts";

const policyFiles = new Set([accessPolicyPath, rotationPolicyPath, "policies/schema.yaml", "policies/deploy.yaml"]);

export const strayFile: Rule = {
  name: "stray-file",
  describe:
    "Below secrets/ and policies/ there are only files of sealtree: regular ones, not too large, and no programs.",
  check({ paths, unsafe, executable }) {
    const strays = paths.filter((path) => !isOurs(path));
    return [
      ...unsafe.map((error) => findingOf("stray-file", error)),
      ...strays.map((file) => ({
        rule: "stray-file",
        severity: "error" as const,
        message: file.startsWith(`${secretsDirectory}/`)
          ? "this is no file of sealtree; if it holds a secret, that is in plain sight"
          : "this is no file of sealtree",
        file,
        hint: "take it out of git, and change what it held at its provider",
      })),
      ...executable.map((file) => ({
        rule: "stray-file",
        severity: "warning" as const,
        message: "the file is marked as a program",
        file,
        hint: "chmod 644, then commit it",
      })),
    ];
  },
};

function isOurs(path: string): boolean {
  if (path.startsWith(`${secretsDirectory}/`)) return parseSecretsPath(path) !== undefined;
  if (!path.startsWith(`${membersDirectory}/`)) return policyFiles.has(path);
  return path.endsWith(".pub") && isMemberName(path.slice(membersDirectory.length + 1, -".pub".length));
}
