import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { findViolations } from "./support/architecture.ts";

const src = fileURLToPath(new URL("../src/", import.meta.url));

describe("the source tree", () => {
  it("follows the arrows, the depth and the names of the architecture", () => {
    const paths = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
    expect(paths).toContain("errors.ts");
    const sources = new Map(paths.map((path) => [path.replaceAll("\\", "/"), readFileSync(src + path, "utf8")]));
    expect(findViolations(sources)).toEqual([]);
  });
});

describe("findViolations", () => {
  it.each([
    ["crypto/pad.ts", 'import { a } from "../secret/secret.ts";\nimport { b } from "./pae.ts";'],
    ["cli/commands/get.ts", 'import {\n  a,\n} from "../../values/get.ts";\nimport { b } from "../../errors.ts";'],
    ["cli/program.ts", 'import { Command } from "commander";\nconst get = () => import("./commands/get.ts");'],
    ["cli/program.ts", 'import type { Get } from "./commands/get.ts";'],
    ["values/set.ts", 'import { a } from "../access/readers.ts";'],
    ["index.ts", 'export { a } from "./values/get.ts";'],
    ["rotation/generators/hex.ts", "// oxlint-disable-next-line no-console -- it is the console\nexport const a = 1;"],
  ])("accepts %s with %j", (path, text) => {
    expect(findViolations(new Map([[path, text]]))).toEqual([]);
  });

  it.each([
    ["secret/a.ts", 'import { a } from "../crypto/pad.ts";', "imports crypto/pad.ts upwards"],
    ["git/a.ts", 'import type { A } from "../crypto/pad.ts";', "imports crypto/pad.ts sideways"],
    ["access/a.ts", 'import {\n  a,\n} from "../values/set.ts";', "imports values/set.ts sideways"],
    ["store/a.ts", 'export * from "../access/policy.ts";', "imports access/policy.ts upwards"],
    ["values/a.ts", 'const a = await import("../cli/main.ts");', "imports cli/main.ts upwards"],
    ["values/a.ts", 'import "../cli/main.ts";', "imports cli/main.ts upwards"],
    ["review/checks/a.ts", 'import { a } from "../../migrate/flatten.ts";', "imports migrate/flatten.ts sideways"],
    ["cli/program.ts", 'import { get } from "./commands/get.ts";', "imports cli/commands/get.ts at start-up"],
    ["cli/main.ts", 'import { a } from "../index.ts";', "imports the library's front door"],
    ["index.ts", 'export { main } from "./cli/main.ts";', "imports cli/main.ts, which is no library"],
    ["errors.ts", 'import { a } from "./secret/secret.ts";', "imports something"],
    ["values/a.ts", 'import { simpleGit } from "simple-git";', "imports simple-git, which belongs to git"],
    ["values/a.ts", "export default 1;", "has a default export"],
    ["values/a.ts", "const a = 1;\nexport { a as default };", "has a default export"],
    ["values/a.ts", "// oxlint-disable-next-line no-console\n", "silences a rule without a reason"],
    ["values/a.ts", "// @ts-ignore\n", "silences a rule without a reason"],
    ["values/a.ts", "\n".repeat(301), "has 301 lines"],
    ["version.ts", "", "is not in a capability"],
    ["things/a.ts", "", "is in a folder without a layer"],
    ["values/formats/json.ts", "", "is too deep"],
    ["cli/commands/member/add.ts", "", "is too deep"],
    ["values/utils.ts", "", "is named like an attic"],
    ["review/checks/helper.ts", "", "is named like an attic"],
    ["values/index.ts", "", "is an index below src"],
    ["values/setValue.ts", "", "is not in kebab-case"],
  ])("finds what is wrong with %s", (path, text, finding) => {
    expect(findViolations(new Map([[path, text]]))).toEqual([`${path} ${finding}`]);
  });
});
