import { secretsDirectory } from "../../store/layout.ts";
import { findingOf } from "../../store/finding-of.ts";
import { isOurs } from "../our-files.ts";
import type { Rule } from "../rule.ts";

export const strayFile: Rule = {
  name: "stray-file",
  describe:
    "Below secrets/ and policies/ there are only files of sealtree: regular ones, not too large, and no programs.",
  checkTree({ paths, reader: { unsafe, executable } }) {
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
        hint: "sealtree check --fix takes the mark away",
      })),
    ];
  },
};
