import { createHttpClient, type HttpAnswer, type HttpRequest } from "../../net/http-client.ts";
import { ProviderFailure, type FailureClass } from "../../net/provider-failure.ts";
import { Secret } from "../../secret/secret.ts";
import { fillBody } from "./body-template.ts";
import type { HttpRule, HttpStep } from "./http-rule.ts";
import { resolvePointer, type JsonPointer } from "./json-pointer.ts";
import { fillTemplate, type Template, type TemplateValues } from "./request-template.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import type { SecretReference } from "../../services/secret-reference.ts";
import { printBasic } from "../../services/service-authorization.ts";
import { readAuthority } from "../../services/trusted-authority.ts";

export type StepName = "preflight" | "identify" | "apply" | "mint" | "roll" | "probe" | "inventory" | "revoke";

/** Sends the step of that name. Throws ProviderFailure. */
export type SendStep = (
  name: StepName,
  step: HttpStep,
  expect: readonly number[],
  values?: TemplateValues,
  query?: Readonly<Record<string, string>>,
) => Promise<HttpAnswer>;

/** What the value itself opens is shown by these, so nothing of the administrator goes with them. */
const withoutAdministrator: readonly StepName[] = ["probe", "identify"];
/** What says that a value is the trouble, and not a right or an address. */
const valueStatuses = [400, 422];

/** What sends the steps of a rule. */
export function createSendStep(rule: HttpRule, access: ServiceAccess): SendStep {
  const ca = readAuthority(rule.ca, access);
  // A file that was sealed with its last line break is the same token.
  const read = (reference: SecretReference): Secret =>
    Secret.text(
      access
        .read(reference)
        .revealText()
        ?.replace(/\r?\n$/, "") ?? "",
    );
  return async (name, step, expect, values = {}, query = {}) => {
    const client = createHttpClient({
      baseUrl: rule.url,
      timeoutMs: access.timeoutMs,
      ca,
      classify: (status) => rule.classes[String(status)] ?? classOf(name, status),
    });
    const fill = (template: Template): string | Secret => fillTemplate(template, values, read) ?? missing(name);
    const fillAll = (templates: Readonly<Record<string, Template>>) =>
      Object.fromEntries(Object.entries(templates).map(([key, template]) => [key.toLowerCase(), fill(template)]));
    const isOwn = withoutAdministrator.includes(name);
    const authorization = (basic: HttpStep["basic"]) =>
      basic === undefined
        ? {}
        : { authorization: printBasic(textOf(fill(basic.user)), asSecret(fill(basic.password))) };
    return await client.send({
      method: step.method,
      path: step.path.segments.map((segment) => textOf(fill(segment))),
      hasTrailingSlash: step.path.hasTrailingSlash,
      query: { ...fillQuery(step.query, fill), ...query },
      headers: {
        ...(isOwn ? {} : { ...authorization(rule.basic), ...fillAll(rule.headers) }),
        ...authorization(step.basic),
        ...fillAll(step.headers),
      },
      ...bodyOf(step, values, read, () => missing(name)),
      expect,
    });
  };
}

/** The text at a pointer: a text or a whole number that is not empty. Throws ProviderFailure `unknown`. */
export function textAt(name: StepName, document: unknown, pointer: JsonPointer): string {
  const found = resolvePointer(document, pointer);
  const text = Number.isSafeInteger(found) ? String(found) : found;
  if (typeof text === "string" && text !== "" && text.length <= 65_536) return text;
  throw new ProviderFailure("unknown", `the answer to ${name} has no text where the rule points`, {
    hints: ["compare the JSON pointers of the step with the service's documentation"],
  });
}

/** The same, for an id: the journal holds it in the clear. */
export function idAt(name: StepName, document: unknown, pointer: JsonPointer): string {
  const text = textAt(name, document, pointer);
  if (/^[\x21-\x7e]{1,256}$/.test(text)) return text;
  throw new ProviderFailure("unknown", `the answer to ${name} has an id that is not 1 to 256 printable characters`);
}

function classOf(name: StepName, status: number): FailureClass | undefined {
  const isOther = status >= 400 && status < 500 && ![401, 403, 408, 429, ...valueStatuses].includes(status);
  return name === "apply" && isOther ? "auth" : undefined;
}

function fillQuery(
  query: HttpStep["query"],
  fill: (template: Template) => string | Secret,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(query).map(([key, template]) => [key, textOf(fill(template))]));
}

function bodyOf(
  step: HttpStep,
  values: TemplateValues,
  read: (reference: SecretReference) => Secret,
  fail: () => never,
): Pick<HttpRequest, "body"> {
  if (step.body !== undefined) return { body: { json: fillBody(step.body, values, read) ?? fail() } };
  if (step.form === undefined) return {};
  const fields = Object.entries(step.form).map(([key, template]) => [
    key,
    fillTemplate(template, values, read) ?? fail(),
  ]);
  return { body: { form: Object.fromEntries(fields) as Record<string, string | Secret> } };
}

function missing(name: StepName): never {
  throw new ProviderFailure("auth", `the step ${name} uses a value that is not known, or is no text`, {
    hints: ["take it out of the step, or set the secret to the value that is live"],
  });
}

function textOf(filled: string | Secret): string {
  return typeof filled === "string" ? filled : (filled.revealText() ?? "");
}

function asSecret(filled: string | Secret): Secret {
  return typeof filled === "string" ? Secret.text(filled) : filled;
}
