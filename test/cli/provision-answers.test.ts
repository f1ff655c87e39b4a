import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { createContext } from "../../src/cli/context.ts";
import { processIo } from "../../src/cli/io.ts";
import { toCommonOptions } from "../../src/cli/command.ts";
import { readAnswers } from "../../src/cli/provision-answers.ts";
import type { PlannedSecret } from "../../src/provision/plan.ts";
import { parseAddress } from "../../src/secret/address.ts";

/** A person who types `lines`, one a question, and what they see. */
function person(lines: readonly string[]) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const screen = new PassThrough();
  let seen = "";
  let asked = 0;
  const type = (line: string) => stdin.write(line);
  screen.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
    for (; asked < seen.split("value: ").length - 1; asked++) setImmediate(type, `${lines[asked] ?? ""}\n`);
  });
  const stderr = { write: (chunk: string | Uint8Array) => screen.write(chunk), stream: () => screen };
  const io = { ...processIo(), env: { PATH: process.env["PATH"] ?? "" }, stdin, stderr };
  return { context: createContext(io, toCommonOptions({}), "provision"), seen: () => seen };
}

function prompted(address: string, question: string, optional = false): PlannedSecret {
  return { address: parseAddress(address), origin: { way: "prompt", question }, optional, step: "prompt" };
}

it("asks for each with the words of the template, once more when it is empty, and hides what is typed", async () => {
  const { context, seen } = person(["first-canary", "", "second-canary", ""]);
  const secrets = [
    prompted("qa/a/ONE", "the first"),
    prompted("qa/a/TWO", "the second"),
    prompted("qa/a/THREE", "the last", true),
  ];
  const answers = await readAnswers(context, secrets, false);
  expect([...answers].map(([address, secret]) => [address, secret.revealText()])).toEqual([
    ["qa/a/ONE", "first-canary"],
    ["qa/a/TWO", "second-canary"],
  ]);
  expect(seen()).toContain("qa/a/ONE: the first");
  expect(seen()).toContain("the value is empty, and the template needs one");
  expect(seen()).toContain("qa/a/THREE: the last (empty leaves it out)");
  expect(seen()).not.toContain("canary");
});
