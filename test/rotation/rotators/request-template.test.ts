import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fillBody, parseBodyTemplate } from "../../../src/rotation/rotators/body-template.ts";
import {
  fillTemplate,
  parseTemplate,
  templateReferences,
  type TemplateRules,
} from "../../../src/rotation/rotators/request-template.ts";
import { Secret } from "../../../src/secret/secret.ts";

const rules: TemplateRules = { variables: ["value", "id"], mayHoldSecrets: true };
const read = () => Secret.text("test-reference");

function fill(text: string, values: Record<string, string | Secret>): string | undefined {
  const template = parseTemplate(text, rules);
  if ("problem" in template) throw new Error(template.problem);
  const filled = fillTemplate(template, values, read);
  return filled instanceof Secret ? filled.revealText() : filled;
}

function problemOf(text: string, own: TemplateRules = rules): string {
  const template = parseTemplate(text, own);
  return "problem" in template ? template.problem : "none";
}

describe("a template", () => {
  it.each([
    ["", ""],
    ["plain", "plain"],
    ["Bearer ${value}", "Bearer test-value"],
    ["${id}${value}${id}", "7test-value7"],
    ["$${value} ${id}", "${value} 7"],
    ["a$b$", "a$b$"],
    ["${secret:prod/api/TOKEN}", "test-reference"],
    ["${env:TOKEN}", "test-reference"],
  ])("%j is filled to %j", (text, expected) => {
    expect(fill(text, { value: Secret.text("test-value"), id: "7" })).toBe(expected);
  });

  it("does not look for placeholders in what it was filled with", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (id, value) => {
        expect(fill("<${id}|${value}>", { id, value: Secret.text(value) })).toBe(
          `<${id}|${Buffer.from(value).toString()}>`,
        );
      }),
    );
    expect(fill("${id}", { id: "${value}", value: "x" })).toBe("${value}");
  });

  it("is secret when any of it is", () => {
    const template = parseTemplate("${id}-${value}", rules);
    if ("problem" in template) throw new Error(template.problem);
    expect(fillTemplate(template, { id: "7", value: Secret.text("x") }, read)).toBeInstanceOf(Secret);
    expect(fillTemplate(template, { id: "7", value: "x" }, read)).toBe("7-x");
    expect(fillTemplate(template, { id: "7" }, read)).toBeUndefined();
    expect(fillTemplate(template, { id: "7", value: Secret.of(Buffer.from([0xff]), "binary") }, read)).toBeUndefined();
  });

  it.each([
    "${other}",
    "${value",
    "${valuex",
    "${}",
    "${ value }",
    "${secret:nonsense}",
    "${__proto__}",
    "${${value}}",
  ])("is not written %s, and is not repeated", (text) => {
    expect(problemOf(`${text} test-value`)).toContain("a placeholder here is");
    expect(problemOf(`${text} test-value`)).not.toContain("test-value");
  });

  it("has no secret where it is part of an address", () => {
    const open = { ...rules, mayHoldSecrets: false };
    for (const text of ["${value}", "${secret:prod/api/TOKEN}", "${env:TOKEN}"]) {
      expect(problemOf(text, open)).toContain("a secret cannot be part of an address");
    }
    expect(problemOf("${id}", open)).toBe("none");
  });

  it("says what references it has", () => {
    const template = parseTemplate("${env:ONE}${secret:prod/api/TWO}${value}", rules);
    expect("problem" in template ? template : templateReferences(template)).toEqual([
      { kind: "environment", name: "ONE" },
      { kind: "secret", address: { scope: "prod/api", name: "TWO" } },
    ]);
  });

  it("never throws for any text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("$", "{", "}", "value", "secret:", "a", "/") }),
        (text) => void problemOf(text),
      ),
    );
  });
});

describe("the template of a body", () => {
  it("keeps every JSON value as it is, but for placeholders", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        fc.pre(!JSON.stringify(value).includes("$"));
        const body = parseBodyTemplate(value, rules);
        if ("problem" in body) throw new Error(body.problem);
        expect(JSON.stringify(fillBody(body, {}, read))).toBe(JSON.stringify(value));
      }),
    );
  });

  it("is unknown as a whole when a value in it is", () => {
    const body = parseBodyTemplate({ a: [{ b: "${value}" }], c: null }, rules);
    if ("problem" in body) throw new Error(body.problem);
    expect(fillBody(body, {}, read)).toBeUndefined();
    expect(fillBody(body, { value: "x" }, read)).toEqual({ a: [{ b: "x" }], c: null });
  });

  it.each([[{ a: "${other}" }], [["${other}"]], [undefined], [Number.NaN], [() => 1]])("is not %j", (value) => {
    expect(parseBodyTemplate(value, rules)).toHaveProperty("problem");
  });

  it("is not as deep as one may write", () => {
    const deep = Array.from({ length: 40 }).reduce<unknown>((inner) => [inner], "x");
    expect(parseBodyTemplate(deep, rules)).toHaveProperty("problem");
  });
});
