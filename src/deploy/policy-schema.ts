import { z } from "zod";
import { isScopePath, isSecretName } from "../secret/address.ts";

/** The name of a target or an environment. */
const targetName = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, "a name is a-z, 0-9, _ and -, and begins with a letter");

const scopePath = z.string().refine(isScopePath, "not the path of a scope, such as prod/api");
const secretName = z.string().refine(isSecretName, "not a secret name, such as DATABASE_URL");
const namePattern = z
  .string()
  .regex(/^!?[A-Za-z0-9_.*-]{1,128}$/, "not a name or a pattern of names, such as STRIPE_* or !STRIPE_TEST_*");
const thereName = z
  .string()
  .min(1)
  .max(512)
  .regex(/^\P{C}+$/u, "a name at the target is one line of text");

/** What every target has; the rest is for its kind, which checks it. */
const target = z.looseObject({
  kind: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "a kind is a-z, 0-9 and -, such as vault"),
  scopes: z.array(scopePath).min(1, "a target has one scope at least").max(256),
  only: z.array(namePattern).min(1).max(1000).exactOptional(),
  names: z.record(secretName, thereName).default({}),
  prefix: thereName.exactOptional(),
  required: z.boolean().default(false),
  canary: z.boolean().default(false),
  after: z.array(targetName).max(256).default([]),
  adopt: z.boolean().default(false),
  drops: z.enum(["allow", "refuse"]).default("refuse"),
});

/** The fields that all targets have, by name. */
export const commonFields: ReadonlySet<string> = new Set(Object.keys(target.shape));

const unitsMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const cache = z
  .string()
  .regex(/^(?:off|[1-9][0-9]{0,4}[smhd])$/, "not a time such as 300s or 5m, and not off")
  .transform((text) =>
    text === "off" ? ("off" as const) : Number.parseInt(text, 10) * unitsMs[text.slice(-1) as keyof typeof unitsMs],
  );

const source = z.union(
  [z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/), z.looseObject({ kind: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/) })],
  {
    error: "a source is repo, the name of a target, or the entry of a provider with its kind",
  },
);

const environment = z.strictObject({
  sources: z.array(source).min(1).max(32),
  fallback: z
    .string()
    .max(512)
    .regex(/^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$))[^\\\p{C}]+$/u, "not a file of this repository, and not none")
    .default("none"),
  cache: cache.default("off"),
});

/** `policies/deploy.yaml` as written; unknown fields are errors. Times become milliseconds. */
export const deploySchema = z.strictObject({
  targets: z.record(targetName, target).default({}),
  environments: z.record(targetName, environment).default({}),
});

export type WrittenDeployPolicy = z.infer<typeof deploySchema>;
export type WrittenTarget = z.infer<typeof target>;
/** Where the library reads values from in one environment, in order. */
export type EnvironmentEntry = z.infer<typeof environment>;
