import type { CutCommand } from "../support/faults.ts";

const before = new Map([
  ["dev/app/API_KEY", "test-value-before-1f0c"],
  ["dev/app/KEPT", "test-value-kept-77aa"],
]);

/** The writing commands that are cut off, by name. A row is all it takes to cut off another one. */
export const cutCommands: Readonly<Record<string, CutCommand>> = {
  set: {
    argv: ["set", "dev/app/API_KEY", "--stdin"],
    stdin: "test-value-after-9c4e",
    before,
    after: new Map([...before, ["dev/app/API_KEY", "test-value-after-9c4e"]]),
  },
  "set in a new scope": {
    argv: ["set", "dev/new/API_KEY", "--stdin"],
    stdin: "test-value-after-9c4e",
    before,
    after: new Map([...before, ["dev/new/API_KEY", "test-value-after-9c4e"]]),
  },
  rekey: { argv: ["rekey", "dev/app", "--yes"], stdin: "", before, after: before },
  edit: {
    argv: ["edit", "dev/app"],
    stdin: "",
    env: { EDITOR: "sed -i s/test-value-before-1f0c/test-value-after-9c4e/" },
    before,
    after: new Map([...before, ["dev/app/API_KEY", "test-value-after-9c4e"]]),
  },
  import: {
    argv: ["import", "dev/app", "--format", "dotenv", "--yes"],
    stdin: "API_KEY=test-value-after-9c4e\nADDED=test-value-added-31b8\n",
    before,
    after: new Map([
      ...before,
      ["dev/app/API_KEY", "test-value-after-9c4e"],
      ["dev/app/ADDED", "test-value-added-31b8"],
    ]),
  },
};
