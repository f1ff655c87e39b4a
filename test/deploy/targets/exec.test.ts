import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { execTarget } from "../../../src/deploy/targets/exec.ts";
import { providerAccess } from "../../support/provider-access.ts";
import {
  describesTarget,
  inspectByName,
  itemOf,
  recordProgress,
  targetFailure,
  writeAll,
} from "../../support/target-contract.ts";
import { makeThrowAway } from "../../support/throw-away.ts";

/** A program that keeps its items in a file, as docs/targets/exec.md describes one. */
const program = `
const { readFileSync, writeFileSync, existsSync } = require("node:fs");
const input = JSON.parse(readFileSync(0, "utf8"));
if (input.sealtree !== 1) process.exit(11);
const file = input.settings.file;
if (input.settings.exit) process.exit(input.settings.exit);
if (input.settings.print) { console.log(input.settings.print); process.exit(0); }
const items = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
if (input.step === "inspect") {
  const found = Object.entries(items).filter(([name, it]) => it.mark || input.names.includes(name));
  console.log(JSON.stringify({ items: found.map(([name, it]) => ({ name, ...it })) }));
} else if (input.step === "apply") {
  for (const { name, value, mark } of input.writes) items[name] = { value, mark };
  for (const { name } of input.removes) delete items[name];
  writeFileSync(file, JSON.stringify(items));
  console.log(JSON.stringify({ done: [...input.writes, ...input.removes].map(({ name }) => name) }));
} else process.exit(11);
`;

function createPlace(more: Readonly<Record<string, unknown>> = {}, settings: Readonly<Record<string, unknown>> = {}) {
  const folder = makeThrowAway("sealtree-exec-target-");
  const [script, file] = [join(folder, "target.cjs"), join(folder, "items.json")];
  writeFileSync(script, program);
  const options = execTarget.options.parse({
    place: "a test",
    command: [process.execPath, script],
    settings: { file, ...settings },
    reads_back: true,
    keeps_marks: true,
    ...more,
  });
  const access = {
    ...providerAccess({ PATH: process.env["PATH"] ?? "", TOKEN: "exec-token-test" }),
    directory: folder,
  };
  return { file, options, open: () => execTarget.open(options, access) };
}

describe("the target exec", () => {
  describesTarget(() => {
    const { file, options, open } = createPlace();
    return Promise.resolve({
      facts: execTarget.facts(options),
      open,
      putForeign(name, value) {
        writeFileSync(file, JSON.stringify({ [name]: { value, mark: null } }));
        return Promise.resolve();
      },
      peek() {
        const items = JSON.parse(readFileSync(file, "utf8")) as Record<string, { value: string }>;
        return Promise.resolve(Object.fromEntries(Object.entries(items).map(([name, { value }]) => [name, value])));
      },
    });
  });

  it("tells neither values nor marks where the policy says that the program has none", async () => {
    const { open } = createPlace({ reads_back: false, keeps_marks: false });
    const target = await open();
    await writeAll(target, { ALPHA: "one" });
    expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")).toMatchObject({ mark: undefined, value: undefined });
  });

  it.each([
    [10, "rejected"],
    [11, "auth"],
    [12, "limit"],
    [20, "transient"],
    [30, "unknown"],
    [1, "unknown"],
  ] as const)("takes exit %i of a write as %s", async (exit, failureClass) => {
    const target = await createPlace({}, { exit }).open();
    const item = itemOf("ALPHA", "contract-canary-5v1t-exec");
    const failure = await targetFailure(
      target.apply({ writes: [item], removes: [], wanted: [item] }, recordProgress()),
    );
    expect(failure.class).toBe(failureClass);
    expect(failure.message).toContain("the program of the target");
  });

  it.each([
    ["nothing of one that was asked for", '{"done": []}'],
    ["no JSON", "done"],
    ["a field more", '{"done": ["ALPHA"], "more": 1}'],
  ])("does not know what was done when the program prints %s", async (_, print) => {
    const target = await createPlace({}, { print }).open();
    const item = itemOf("ALPHA", "contract-canary-5v1t-exec");
    const progress = recordProgress();
    const failure = await targetFailure(target.apply({ writes: [item], removes: [], wanted: [item] }, progress));
    expect(failure.class).toBe("unknown");
    expect(progress.doneNames).toEqual([]);
  });

  it("counts only what was asked for, and tells what failed by its class", async () => {
    const print = '{"done": ["OTHER", "BETA", "BETA"], "failed": [{"name": "ALPHA", "class": "rejected"}]}';
    const target = await createPlace({}, { print }).open();
    const writes = [itemOf("ALPHA", "one"), itemOf("BETA", "two")];
    const progress = recordProgress();
    await target.apply({ writes, removes: [], wanted: writes }, progress);
    expect(progress.doneNames).toEqual(["BETA"]);
    expect(progress.failures.get("ALPHA")?.class).toBe("rejected");
  });

  it("never takes a value or a SEALTREE variable in its options", () => {
    const base = { place: "x", command: ["x"] };
    expect(execTarget.options.safeParse({ ...base, secrets: { token: "plain" } }).success).toBe(false);
    expect(execTarget.options.safeParse({ ...base, environment: ["SEALTREE_IDENTITY"] }).success).toBe(false);
    expect(execTarget.options.safeParse({ ...base, secrets: { token: "${env:TOKEN}" } }).success).toBe(true);
  });
});
