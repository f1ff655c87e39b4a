import { z } from "zod";
import type { NameRule } from "./target.ts";

/** The annotation of an object, or of a manifest, that holds the marks of its keys. */
export const markAnnotation = "sealtree/marks";

/** Keys of a Secret (IsConfigMapKey of Kubernetes). */
export const secretKeyRule: NameRule = {
  pattern: /^(?!\.$|\.\.)[A-Za-z0-9._-]+$/,
  says: "letters, digits, _, . and -, and neither . nor beginning with ..",
  maxLength: 253,
  ignoresCase: false,
};

/** Such as `kubernetes.io/tls`. */
export const secretType = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?$/)
  .default("Opaque");

/** Of all values of a Secret. */
const maxSecretBytes = 1024 * 1024;

/** Facts of a manifest from which something in a cluster makes a Secret, and which shows no values. */
export const sealedManifestFacts = {
  readsBack: false,
  keepsMarks: true,
  hasVersions: false,
  comparesAndSwaps: false,
  nameRule: secretKeyRule,
  maxValueBytes: maxSecretBytes,
  maxTotalBytes: maxSecretBytes,
  holdsBinary: true,
} as const;
