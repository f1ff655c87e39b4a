import type { Mark } from "./target.ts";
import { compareText } from "../../secret/text-order.ts";

const tokenPattern = /^([A-Za-z0-9_.-]+):([0-9a-f]{16})(?::([a-z0-9_/-]+\/)([A-Za-z_][A-Za-z0-9_.-]*)?)?$/;

/**
 * The marks of many items as text that is as short as can be, in pieces of at most `maxBytes`,
 * each readable alone. A piece is tokens with a space between: `NAME:fingerprint:scope/SECRET`,
 * where `SECRET` is left out when it is the item's name, and the whole end with it when the scope
 * is that of the token before. Sorted, so that the same marks are the same text. Undefined when
 * one mark alone is too long.
 */
export function printMarkList(marks: ReadonlyMap<string, Mark>, maxBytes: number): readonly string[] | undefined {
  const pieces: string[] = [];
  let [piece, last] = ["", ""];
  const sorted = [...marks].toSorted(
    ([a, one], [b, other]) => compareText(scopeOf(one), scopeOf(other)) || compareText(a, b),
  );
  for (const [name, mark] of sorted) {
    const short = printToken(name, mark, last);
    const joined = piece === "" ? short : `${piece} ${short}`;
    if (joined.length > maxBytes && piece !== "") {
      pieces.push(piece);
      piece = printToken(name, mark, "");
    } else {
      piece = joined;
    }
    if (piece.length > maxBytes) return undefined;
    last = scopeOf(mark);
  }
  return piece === "" ? pieces : [...pieces, piece];
}

/** The marks in pieces of text; undefined when one of them is not of our making. */
export function findMarkList(pieces: readonly string[]): ReadonlyMap<string, Mark> | undefined {
  const marks = new Map<string, Mark>();
  for (const piece of pieces) {
    let last = "";
    for (const token of piece === "" ? [] : piece.split(" ")) {
      const [, name, fingerprint, scope = last, secret = name] = tokenPattern.exec(token) ?? [];
      if (name === undefined || fingerprint === undefined || scope === "" || marks.has(name)) return undefined;
      marks.set(name, { address: `${scope}${secret ?? ""}`, fingerprint });
      last = scope;
    }
  }
  return marks;
}

function printToken(name: string, mark: Mark, last: string): string {
  const [scope, secret] = [scopeOf(mark), mark.address.slice(scopeOf(mark).length)];
  const end = secret !== name ? `:${mark.address}` : scope !== last ? `:${scope}` : "";
  return `${name}:${mark.fingerprint}${end}`;
}

/** With the slash. */
function scopeOf({ address }: Mark): string {
  return address.slice(0, address.lastIndexOf("/") + 1);
}
