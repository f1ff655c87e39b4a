import type { OutputStream } from "./io.ts";
import { table, visibleWidth } from "./present.ts";

/** A column of a table: its head, and the cell of each row. */
export interface Column<Row> {
  readonly head: string;
  /** On a terminal without room the columns go by this number, the lowest first; one without stays. */
  readonly goes?: number;
  cell(row: Row): string;
}

/**
 * Rows under their heads, as lines. A column that says nothing is left out, and on a terminal so
 * are columns that may go, until the lines are no longer than it is wide. Empty without rows.
 */
export function fitTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], stream: OutputStream): string[] {
  if (rows.length === 0) return [];
  const width = stream.isTTY === true ? (stream.columns ?? 80) : Infinity;
  const filled = columns
    .map((column) => ({ ...column, cells: rows.map((row) => column.cell(row)) }))
    .filter(({ cells }) => cells.some((cell) => cell !== ""));
  const order = filled.flatMap(({ goes }) => (goes === undefined ? [] : [goes])).sort((a, b) => a - b);
  for (let gone = 0; ; gone++) {
    const last = order[gone - 1] ?? -Infinity;
    const shown = filled.filter(({ goes = Infinity }) => goes > last);
    const lines = table([
      shown.map(({ head }) => head),
      ...rows.map((_, index) => shown.map(({ cells }) => cells[index] ?? "")),
    ]);
    if (gone === order.length || lines.every((line) => visibleWidth(line) <= width)) return lines;
  }
}
