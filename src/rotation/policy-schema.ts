import { z } from "zod";
import { isMemberName } from "../store/generation-file.ts";
import { isAddress, isSecretName } from "../secret/address.ts";
import { durationMs, isDuration } from "./duration.ts";
import { isPublicPath } from "./public-path.ts";
import { findOptionsProblem, rotatorNames, type RotatorName } from "./rotators/registry.ts";

const minIntervalMs = 3_600_000;

const duration = z
  .string()
  .refine(isDuration, "not a duration, such as 90d, 24h, 5m or 2w")
  .transform((text) => durationMs(text));

const interval = z
  .string()
  .refine((text) => text === "never" || isDuration(text), "not an interval, such as 90d, 24h, 2w or never")
  .transform((text) => (isDuration(text) ? durationMs(text) : ("never" as const)))
  .refine((value) => value === "never" || value >= minIntervalMs, "an interval is 1h at least");

const timeOfDay = z
  .string()
  .regex(/^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/, 'not a time of day in UTC, such as "02:00"')
  .transform((text) => (Number(text.slice(0, 2)) * 60 + Number(text.slice(3))) * 60_000);

const rotator = z.enum(rotatorNames, `there is no such rotator; there are ${rotatorNames.join(", ")}`);

const fields = {
  interval: interval.exactOptional(),
  at: timeOfDay.exactOptional(),
  notice: duration.exactOptional(),
  rollback: z.boolean().exactOptional(),
  grace: duration.exactOptional(),
  rotator: rotator.exactOptional(),
  options: z.record(z.string(), z.unknown()).exactOptional(),
  as: z.enum(["plain", "url", "json"]).exactOptional(),
  parts: z
    .record(z.string().regex(/^[a-z][a-z0-9_]{0,62}$/), z.string().refine(isSecretName, "not the name of a secret"))
    .exactOptional(),
  owner: z.string().refine(isMemberName, "not a member's name").exactOptional(),
  runbook: z
    .string()
    .max(512)
    .regex(/^\P{C}+$/u, "not a path or an address of a page on one line")
    .exactOptional(),
};

const publicPath = z
  .string()
  .refine(
    isPublicPath,
    "not a path of a .pub, .pem, .crt, .cer or .csr file of this repository outside secrets/, policies/ and hidden folders, such as deploy/session.pub",
  );
const typeName = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, "a type is a-z, 0-9, _ and -, and begins with a letter");
const place = z.strictObject(fields).superRefine(checkOptions);

/** `policies/rotation.yaml` as written; unknown fields are errors. Durations become milliseconds. */
export const rotationSchema = z.strictObject({
  defaults: place.default({}),
  types: z.record(typeName, place).default({}),
  secrets: z
    .record(
      z.string().refine(isAddress, "a key of secrets is an address, such as prod/api/STRIPE_KEY"),
      z
        .strictObject({ type: typeName.exactOptional(), public: publicPath.exactOptional(), ...fields })
        .superRefine(checkOptions),
    )
    .default({}),
});

/** What one place of the policy says: the defaults, a type, or a secret. */
export type RuleFields = z.infer<typeof place>;

function checkOptions(
  written: { rotator?: RotatorName; options?: Record<string, unknown> },
  context: z.RefinementCtx,
): void {
  const { rotator: name, options } = written;
  const message =
    name !== undefined
      ? findOptionsProblem(name, options ?? {})
      : options === undefined
        ? undefined
        : "options belong to a rotator; name it beside them";
  if (message !== undefined) context.addIssue({ code: "custom", path: ["options"], message });
}
