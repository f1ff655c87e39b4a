import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nameOf } from "../../../src/github/settings/finding.ts";
import { placeOf, shellWord } from "../../../src/github/settings/place.ts";
import { settingAreas, settingRules } from "../../../src/github/settings/rules.ts";
import { headingsOf } from "../../support/markdown.ts";

describe("the rules of the settings", () => {
  it("have headings in docs/github-settings.md, in that order, and there are no other", () => {
    const page = readFileSync(fileURLToPath(new URL("../../../docs/github-settings.md", import.meta.url)), "utf8");
    const headings = headingsOf(page).filter((heading) => /^[a-z-]+$/.test(heading));
    expect(headings).toEqual(Object.keys(settingRules));
  });

  it("say what they look for in a sentence, area by area", () => {
    const entries = Object.values(settingRules);
    for (const { describe: text } of entries) expect(text).toMatch(/^[A-Z].*\.$/);
    const areas = entries.map(({ area }) => settingAreas.indexOf(area));
    expect(areas).toEqual(areas.toSorted((a, b) => a - b));
  });
});

describe("a name in a finding", () => {
  it("is short and has no letter that a terminal or a runner would take for more", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 120 }), (text) => {
        expect(nameOf(text)).toMatch(/^[\w.@~/*?![\]{}+ -]{1,100}$/);
      }),
    );
    expect(nameOf("release/*")).toBe("release/*");
    expect(nameOf("x\u001b[31m")).not.toContain("x");
  });
});

describe("the pages and commands of a repository", () => {
  it("hold no word that a shell would take for more", () => {
    expect(shellWord("release/1.0_a-b")).toBe("release/1.0_a-b");
    expect(shellWord("a;b $(c) d")).toBe("'a;b $(c) d'");
    expect(shellWord("it's")).toBe(String.raw`'it'\''s'`);
  });

  it("are on the server of its API", () => {
    const dot = placeOf("https://api.github.com", "acme", "api");
    expect(dot.page("settings/rules")).toBe("https://github.com/acme/api/settings/rules");
    expect(dot.api("x", "-F a=b")).toBe("gh api -F a=b repos/acme/api/x");
    expect(dot.gh("secret delete X")).toBe("gh secret delete X --repo acme/api");
    const server = placeOf("https://git.acme.test/api/v3", "acme", "api");
    expect(server.page("settings")).toBe("https://git.acme.test/acme/api/settings");
    expect(server.api("x", "")).toBe("gh api --hostname git.acme.test repos/acme/api/x");
    expect(server.gh("secret delete X")).toBe("gh secret delete X --repo git.acme.test/acme/api");
    expect(placeOf("https://api.acme.ghe.com", "acme", "api").page("x")).toBe("https://acme.ghe.com/acme/api/x");
  });
});
