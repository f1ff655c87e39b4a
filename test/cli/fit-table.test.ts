import { describe, expect, it } from "vitest";
import { fitTable, type Column } from "../../src/cli/fit-table.ts";

const columns: readonly Column<{ readonly name: string; readonly note: string }>[] = [
  { head: "NAME", cell: ({ name }) => name },
  { head: "EMPTY", cell: () => "" },
  { head: "NOTE", goes: 1, cell: ({ note }) => note },
  { head: "MORE", goes: 2, cell: () => "\u001b[31mred\u001b[39m" },
];
const rows = [{ name: "a-name", note: "a longer note" }];
const print = (isTTY: boolean, width?: number) =>
  fitTable(columns, rows, { write: () => true, isTTY, ...(width === undefined ? {} : { columns: width }) })[0];

describe("fitTable", () => {
  it("leaves out what says nothing, and where there is no terminal nothing else", () => {
    expect(print(false, 10)).toBe("NAME    NOTE           MORE");
  });

  it("leaves out columns in their order until the lines fit, colours apart, and keeps those that must stay", () => {
    expect(print(true, 27)).toBe("NAME    NOTE           MORE");
    expect(print(true, 25)).toBe("NAME    MORE");
    expect(print(true, 11)).toBe("NAME");
    expect(print(true, 2)).toBe("NAME");
  });

  it("is empty without rows", () => {
    expect(fitTable(columns, [], { write: () => true })).toEqual([]);
  });
});
