import { z } from "zod";
import { environmentName } from "../../values/environment-name.ts";
import { isFit } from "./dotenv-file.ts";
import { fileFormats } from "./environment-file.ts";
import type { Target } from "./target.ts";

const options = z.strictObject({
  /** Relative to the repository's root, or absolute. */
  file: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[^\\\p{C}]+$/u, "file is a path on one line, with /")
    .refine((path) => !path.split("/").includes("..") && !path.endsWith("/"), "file names a file, without ..")
    .refine(
      (path) => !/^(?:\.\/)*(?:\.git|secrets|policies)(?:\/|$)/.test(path),
      "file is outside .git, secrets and policies",
    ),
  format: z.enum(fileFormats, `format is one of ${fileFormats.join(", ")}`).default("dotenv"),
});
export type FileOptions = z.infer<typeof options>;

const variable = {
  pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
  says: "letters, digits and _, not beginning with a digit",
  maxLength: 255,
  ignoresCase: false,
};
const anyName = {
  pattern: /^[A-Za-z_][A-Za-z0-9_.-]*$/,
  says: "letters, digits, _ . and -, beginning with a letter or _",
  maxLength: 128,
  ignoresCase: false,
};

/** A file with plaintext values on this machine. */
export const dotenvTarget: Target<FileOptions> = {
  describe: "a file with the values in plaintext, on the machine that deploys",
  options,
  facts: ({ format }) => ({
    readsBack: true,
    keepsMarks: format !== "json",
    hasVersions: false,
    comparesAndSwaps: false,
    nameRule: keepsNames(format) ? anyName : variable,
    maxValueBytes: 1024 * 1024,
    maxTotalBytes: 8 * 1024 * 1024,
    holdsBinary: keepsNames(format),
    valueRule: { accepts: (value) => isFit(format, value), says: `what the format ${format} holds: docs/formats.md` },
    needsAfterwards: "programs read the file when they start",
  }),
  references: () => [],
  place: ({ file, format }) => `${file}, ${format}`,
  toName: (name, { format }) => (keepsNames(format) ? name : environmentName(name)),
  async open(written, access) {
    const { openFile } = await import("./dotenv-file.ts");
    return openFile(written, access);
  },
};

function keepsNames(format: FileOptions["format"]): boolean {
  return format === "json" || format === "yaml";
}
