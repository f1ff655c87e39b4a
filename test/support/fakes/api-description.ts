import { readFileSync } from "node:fs";
import { Ajv, type ValidateFunction } from "ajv";

/** A schema of OpenAPI, as far as it is looked into here. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema?: Schema;
}

interface Content {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content & { readonly required?: boolean };
  readonly responses: Readonly<Record<string, Content>>;
}

/** Paths of an API with their methods, as OpenAPI has them. */
export type ApiPaths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

interface Description {
  readonly paths: ApiPaths;
  readonly components?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** One operation of an API, such as `POST /keys/{id}`. */
export interface DescribedOperation {
  readonly name: string;
  readonly params: Readonly<Record<string, string>>;
  /** What in a request is against the description; empty when nothing is. */
  readonly checkRequest: (query: URLSearchParams, type: string | undefined, body: unknown) => string[];
  /** The same for an answer. A refusal that is not described is let through. */
  readonly checkAnswer: (status: number, body: unknown) => string[];
}

function readApiDescription(name: string | undefined, additions: ApiPaths): Description {
  if (name === undefined) return { paths: additions };
  const text = readFileSync(new URL(`../descriptions/${name}.json`, import.meta.url), "utf8");
  const described = JSON.parse(text) as Description;
  const paths: Record<string, Readonly<Record<string, Operation>>> = { ...described.paths };
  for (const [path, methods] of Object.entries(additions)) paths[path] = { ...paths[path], ...methods };
  return { ...described, paths };
}

type OperationFinder = (method: string, path: string) => DescribedOperation | undefined;

const none: ApiPaths = {};
const finders = new WeakMap<ApiPaths, Map<string, OperationFinder>>();

/**
 * Finds the operation of a request in the description in test/support/descriptions of a name, with
 * operations that it lacks. The same for the same arguments, since schemas take time to compile.
 */
export function findOperationFinder(name: string | undefined, additions: ApiPaths = none): OperationFinder {
  const ofAdditions = finders.get(additions) ?? new Map<string, OperationFinder>();
  const finder = ofAdditions.get(name ?? "") ?? createOperationFinder(readApiDescription(name, additions));
  finders.set(additions, ofAdditions.set(name ?? "", finder));
  return finder;
}

function createOperationFinder(description: Description): OperationFinder {
  const document = JSON.parse(JSON.stringify(description), dropNullable) as Description;
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "api", ...document } as object);
  const compiled = new Map<string, ValidateFunction>();
  return (method: string, path: string): DescribedOperation | undefined => {
    for (const [template, methods] of Object.entries(document.paths)) {
      const found = new RegExp(`^${patternOf(template)}$`).exec(path);
      const operation = methods[method.toLowerCase()];
      if (found === null || operation === undefined) continue;
      const params = Object.entries(found.groups ?? {}).map(([name, text]) => [name, decodeURIComponent(text)]);
      const at = ["paths", template, method.toLowerCase()];
      return describe(`${method} ${template}`, operation, at, Object.fromEntries(params) as Record<string, string>);
    }
    return undefined;
  };

  function describe(name: string, operation: Operation, at: readonly string[], params: Record<string, string>) {
    const parameters = (operation.parameters ?? []).map((it) => follow(it));
    return {
      name,
      params,
      checkRequest(query: URLSearchParams, type: string | undefined, body: unknown): string[] {
        const known = parameters.filter((it) => it.in === "query");
        const given = [...query].map(([key, text]) => {
          const parameter = known.find((it) => it.name === key);
          if (parameter === undefined) return `the query has ${key}`;
          return checkText(parameter, text);
        });
        const missing = known.filter((it) => it.required === true && !query.has(it.name));
        const inPath = parameters.map((it) =>
          it.in === "path" ? checkText(it, params[variableOf(it.name)] ?? "") : undefined,
        );
        return [
          ...[...given, ...inPath].filter((it) => it !== undefined),
          ...missing.map((it) => `the query lacks ${it.name}`),
          ...checkBody(operation.requestBody, [...at, "requestBody"], type, body),
        ];
      },
      checkAnswer(status: number, body: unknown): string[] {
        const code = [String(status), `${Math.floor(status / 100)}XX`].find((it) => it in operation.responses);
        if (code === undefined) return status < 400 ? [`${status} is no answer of ${name}`] : [];
        const type = body === undefined ? undefined : "application/json";
        return status >= 400 ? [] : checkBody(operation.responses[code], [...at, "responses", code], type, body);
      },
    };
  }

  function checkText({ name, schema }: Parameter, text: string): string | undefined {
    if (schema === undefined) return undefined;
    const value = schema.type === "integer" ? Number(text) : schema.type === "array" ? text.split(",") : text;
    return ajv.validate(schema, value) ? undefined : `${name} is not what the description says`;
  }

  function checkBody(holder: Content | undefined, at: readonly string[], type: string | undefined, body: unknown) {
    const contents = holder === undefined ? undefined : follow(holder).content;
    if (contents === undefined) return body === undefined ? [] : ["there is a body"];
    if (body === undefined) return (holder as { required?: boolean }).required === true ? ["there is no body"] : [];
    const found = Object.entries(contents).find(([it]) => type?.startsWith(it.split(";")[0] ?? it) === true);
    if (found === undefined) return [`the body is ${type ?? "of no type"}`];
    const [kind, { schema = {} }] = found;
    const place = holder?.$ref === undefined ? at : holder.$ref.slice(2).split("/");
    const validate = compile([...place, "content", kind, "schema"]);
    const wrong = validate(body) === true ? [] : [ajv.errorsText(validate.errors, { dataVar: "body" })];
    return [...wrong, ...findUnknown(schema, body, "body")];
  }

  function compile(at: readonly string[]): ValidateFunction {
    const pointer = at.map((it) => encodeURIComponent(it.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
    const found = compiled.get(pointer) ?? ajv.compile({ $ref: `api#/${pointer}` });
    compiled.set(pointer, found);
    return found;
  }

  /** Fields that no schema speaks of: the description lets them pass, a spelling mistake is one. */
  function findUnknown(written: Schema, value: unknown, at: string): string[] {
    const parts = flatten(written);
    if (Array.isArray(value)) {
      const items = parts.find((it) => it.items !== undefined)?.items ?? {};
      return value.flatMap((it) => findUnknown(items, it, `${at}[]`));
    }
    if (typeof value !== "object" || value === null) return [];
    const isOpen = parts.some((it) => it.additionalProperties !== undefined && it.additionalProperties !== false);
    const properties: Record<string, Schema> = {};
    for (const [key, schema] of parts.flatMap((it) => Object.entries(it.properties ?? {}))) {
      const other = properties[key];
      // Alternatives may speak of the same field each in its way.
      properties[key] = other === undefined ? schema : { anyOf: [other, schema] };
    }
    return Object.entries(value).flatMap(([key, held]) => {
      const schema = properties[key];
      if (schema !== undefined) return findUnknown(schema, held, `${at}.${key}`);
      return isOpen || Object.keys(properties).length === 0 ? [] : [`${at}.${key} is not described`];
    });
  }

  function flatten(written: Schema): Schema[] {
    const schema = follow(written);
    return [schema, ...[...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(flatten)];
  }

  function follow<T extends { readonly $ref?: string }>(node: T): T {
    if (node.$ref === undefined) return node;
    const [, , kind = "", name = ""] = node.$ref.split("/");
    return follow(document.components?.[kind]?.[decodeURIComponent(name)] as T);
  }
}

/** `{key-id}` as the name of a group. */
function variableOf(name: string): string {
  return name.replaceAll(/\W/g, "_");
}

function patternOf(template: string): string {
  return template
    .replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&")
    .replaceAll(/\{([^}]+)\}/g, (_, name: string) => `(?<${variableOf(name)}>[^/:]+?)`);
}

/** Ajv knows `nullable` only beside a type. */
function dropNullable(this: unknown, _key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("nullable" in value) || "type" in value) return value;
  const { nullable: _, ...rest } = value as Record<string, unknown>;
  return rest;
}
