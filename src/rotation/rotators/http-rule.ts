import { z } from "zod";
import { isServiceUrl } from "../../net/http-client.ts";
import { anyUses, bodyTemplates, parseBodyTemplate, referencesIn, type BodyTemplate } from "./body-template.ts";
import { jsonPointer } from "./json-pointer.ts";
import { parseTemplate, type Template, type TemplateRules } from "./request-template.ts";
import type { SecretReference } from "../../services/secret-reference.ts";
import { authorityReferences, trustedAuthority } from "../../services/trusted-authority.ts";
import { valueSpec } from "./value-spec.ts";

const status = z.int().min(200).max(599);
const statuses = z.array(status).min(1).max(20);
const failureClass = z.enum(["rejected", "auth", "limit", "transient", "unknown"]);

function template(rules: TemplateRules) {
  return z
    .string()
    .max(8192)
    .transform((text, context): Template => {
      const parsed = parseTemplate(text, rules);
      if (!("problem" in parsed)) return parsed;
      context.addIssue({ code: "custom", message: parsed.problem });
      return z.NEVER;
    });
}

function bodyTemplate(rules: TemplateRules) {
  return z.unknown().transform((value, context): BodyTemplate => {
    const parsed = parseBodyTemplate(value, rules);
    if (!("problem" in parsed)) return parsed;
    context.addIssue({ code: "custom", message: parsed.problem });
    return z.NEVER;
  });
}

/** A path such as `/keys/${id}`: what is between the slashes is encoded when it is sent. */
function pathTemplate(rules: TemplateRules) {
  return z
    .string()
    .max(2048)
    .regex(/^\/(?!.*\/\/)(?!(?:.*\/)?\.{1,2}(?:\/|$))[^?#\s\\]*$/, {
      error: "a path is written /keys/${id}, without // . .. ? and #",
    })
    .transform((text, context) => {
      const hasTrailingSlash = text.length > 1 && text.endsWith("/");
      const segments = text
        .split("/")
        .slice(1, hasTrailingSlash ? -1 : undefined)
        .filter((segment) => segment !== "");
      const parsed = segments.map((segment) => parseTemplate(segment, rules));
      const problem = parsed.find((segment) => "problem" in segment);
      if (problem !== undefined) context.addIssue({ code: "custom", message: problem.problem });
      return { segments: parsed.filter((segment): segment is Template => !("problem" in segment)), hasTrailingSlash };
    });
}

function headersFor(variables: readonly string[]) {
  return z
    .record(z.string(), template({ variables, mayHoldSecrets: true }))
    .refine((headers) => Object.keys(headers).every((name) => /^[A-Za-z0-9-]{1,64}$/.test(name)), {
      error: "a header is named with A-Z a-z 0-9 -",
    });
}

function basicFor(variables: readonly string[]) {
  const part = template({ variables, mayHoldSecrets: true });
  return z.strictObject({ user: part, password: part });
}

/** What each request has, with the variables that may stand in it. */
function requestShape(...variables: readonly string[]) {
  const open = { variables: variables.filter((name) => name === "id" || name === "tag"), mayHoldSecrets: false };
  const any = { variables, mayHoldSecrets: true };
  return {
    method: z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
    path: pathTemplate(open),
    query: z.record(z.string().min(1), template(open)).default({}),
    headers: headersFor(variables).default({}),
    basic: basicFor(variables).exactOptional(),
    body: bodyTemplate(any).exactOptional(),
    form: z.record(z.string().min(1), template(any)).exactOptional(),
  };
}

const expect = statuses.default([200, 201, 202, 204]);
/** What is not there is ended. */
const gone = statuses.default([200, 202, 204, 404]);
const preflight = z.strictObject({ ...requestShape(), expect }).exactOptional();
const probe = z.strictObject({
  ...requestShape("id", "value"),
  live: statuses.default([200]),
  dead: statuses.default([401]),
});

const shared = {
  /** That every path is below. */
  url: z.string().refine(isServiceUrl, { error: "url is https, or http on this machine, without a user and a query" }),
  ca: trustedAuthority.exactOptional(),
  /** Sent with every step but probe and identify, which show what the value itself opens. */
  headers: headersFor([]).default({}),
  basic: basicFor([]).exactOptional(),
  /** What refusals mean at this service. */
  classes: z
    .record(z.string(), failureClass)
    .refine((classes) => Object.keys(classes).every((name) => /^[2-5]\d\d$/.test(name)), {
      error: "classes are by status, such as 409",
    })
    .default({}),
  propagation_seconds: z.int().min(0).max(3600).default(0),
  outage: z.literal("accept").exactOptional(),
};

const chosen = z.strictObject({
  ...shared,
  kind: z.literal("chosen"),
  value: valueSpec,
  steps: z.strictObject({
    preflight,
    apply: z.strictObject({ ...requestShape("value", "current.value"), expect }),
    probe,
    revoke: z.strictObject({ ...requestShape("value"), expect: gone }).exactOptional(),
  }),
});

const minted = z.strictObject({
  ...shared,
  kind: z.literal("minted"),
  /** The id changes with the value, and programs need it. */
  with_id: z.boolean().default(false),
  steps: z.strictObject({
    preflight,
    identify: z
      .strictObject({
        ...requestShape("value"),
        expect: statuses.default([200]),
        none: statuses.default([401]),
        id: jsonPointer,
      })
      .exactOptional(),
    mint: z.strictObject({ ...requestShape("tag"), expect, value: jsonPointer, id: jsonPointer }),
    probe,
    inventory: z.strictObject({
      ...requestShape(),
      expect,
      items: jsonPointer,
      id: jsonPointer,
      tag: jsonPointer.exactOptional(),
      next: z.strictObject({ cursor: jsonPointer, query: z.string().min(1) }).exactOptional(),
    }),
    revoke: z.strictObject({ ...requestShape("id"), expect: gone }),
  }),
});

const rolled = z.strictObject({
  ...shared,
  kind: z.literal("rolled"),
  outage: z.literal("accept", { error: "the old value ends when it is rolled: write outage: accept" }),
  steps: z.strictObject({
    preflight,
    roll: z.strictObject({ ...requestShape("current.value"), expect, value: jsonPointer }),
    probe,
  }),
});

/** The options of the rotator http. */
export const httpOptions = z.discriminatedUnion("kind", [chosen, minted, rolled]).superRefine((rule, context) => {
  const issue = (message: string) => context.addIssue({ code: "custom", message });
  if (!anyUses(templatesOf(rule.steps.probe), "value")) issue("the step probe has to use ${value}");
  if (rule.kind === "chosen") {
    const hasOverlap = rule.steps.revoke !== undefined;
    if (hasOverlap === (rule.outage !== undefined)) {
      issue("a chosen value has the step revoke where old and new live side by side, and outage: accept where not");
    }
    if (!anyUses(templatesOf(rule.steps.apply), "value")) issue("the step apply has to use ${value}");
  }
  if (rule.kind === "minted") {
    if (rule.outage !== undefined) issue("a minted value has no outage");
    if (!anyUses(templatesOf(rule.steps.revoke), "id")) issue("the step revoke has to use ${id}");
    if (rule.steps.identify === undefined && !rule.with_id) {
      issue("without the step identify the id of a value is not known: write it, or keep the id with with_id: true");
    }
  }
  for (const [name, step] of Object.entries(rule.steps)) {
    if (step?.body !== undefined && step.form !== undefined) issue(`the step ${name} has a body or a form, not both`);
    if (step?.basic !== undefined && hasAuthorization(step.headers))
      issue(`the step ${name} has basic or a header authorization, not both`);
  }
});
export type HttpRule = z.infer<typeof httpOptions>;
export type ChosenHttpRule = z.infer<typeof chosen>;
export type MintedHttpRule = z.infer<typeof minted>;
export type RolledHttpRule = z.infer<typeof rolled>;

/** A request with templates, whatever its step reads from the answer. */
export interface HttpStep {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: { readonly segments: readonly Template[]; readonly hasTrailingSlash: boolean };
  readonly query: Readonly<Record<string, Template>>;
  readonly headers: Readonly<Record<string, Template>>;
  readonly basic?: { readonly user: Template; readonly password: Template };
  readonly body?: BodyTemplate;
  readonly form?: Readonly<Record<string, Template>>;
}

/** All references of a rule. */
export function httpReferences(rule: HttpRule): readonly SecretReference[] {
  const steps = Object.values(rule.steps).filter((step): step is NonNullable<typeof step> => step !== undefined);
  const own = [...Object.values(rule.headers), ...Object.values(rule.basic ?? {})];
  return [...authorityReferences(rule.ca), ...referencesIn([...own, ...steps.flatMap(templatesOf)])];
}

function templatesOf(step: HttpStep): readonly Template[] {
  return [
    ...step.path.segments,
    ...[step.query, step.headers, step.basic ?? {}, step.form ?? {}].flatMap((part) => Object.values(part)),
    ...(step.body === undefined ? [] : bodyTemplates(step.body)),
  ];
}

function hasAuthorization(headers: HttpStep["headers"]): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
}
