import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasCode } from "../../src/errors.ts";
import { isScopePath, isSecretName, parseAddress, printAddress } from "../../src/secret/address.ts";

describe("parseAddress", () => {
  it("splits at the last slash", () => {
    expect(parseAddress("nexus/mcp.bun.apiKey")).toEqual({ scope: "nexus", name: "mcp.bun.apiKey" });
    expect(parseAddress("a/b/c/KEY")).toEqual({ scope: "a/b/c", name: "KEY" });
  });

  it("is the reverse of printAddress", () => {
    const scopes = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,8}(\/[a-z0-9][a-z0-9_-]{0,8}){0,7}$/).filter(isScopePath);
    const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,20}$/).filter(isSecretName);
    fc.assert(
      fc.property(scopes, names, (scope, name) => {
        expect(parseAddress(printAddress({ scope, name }))).toEqual({ scope, name });
      }),
    );
  });

  it.each([
    ["KEY", "E_ADDRESS_INVALID"],
    ["/KEY", "E_ADDRESS_INVALID"],
    ["prod/", "E_NAME_INVALID"],
    ["prod/1KEY", "E_NAME_INVALID"],
    ["prod/KEY=canary/x", "E_VALUE_IN_ARGUMENT"],
    ["Prod/KEY", "E_SCOPE_INVALID"],
    ["../etc/KEY", "E_SCOPE_INVALID"],
    ["prod//KEY", "E_SCOPE_INVALID"],
    ["prod/con/KEY", "E_SCOPE_INVALID"],
    ["prod/com1/KEY", "E_SCOPE_INVALID"],
    ["a/b/c/d/e/f/g/h/i/KEY", "E_SCOPE_INVALID"],
    ["prоd/KEY", "E_SCOPE_INVALID"],
    ["prod/KE\u202eY", "E_NAME_INVALID"],
    ["prod/K\nEY", "E_NAME_INVALID"],
  ] as const)("refuses %j and does not repeat it", (text, code) => {
    let thrown: unknown;
    try {
      parseAddress(text);
    } catch (error) {
      thrown = error;
    }
    expect(hasCode(thrown, code)).toBe(true);
    expect(String(thrown)).not.toContain("canary");
  });

  it("takes any text or refuses it by the grammar alone, never normalising", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(isSecretName(text)).toBe(/^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/.test(text) && !text.includes("\n"));
      }),
    );
  });
});
