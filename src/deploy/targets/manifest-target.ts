import { Scalar, visit, type Document, type Node } from "yaml";
import { ProviderFailure } from "../../net/provider-failure.ts";
import type { Secret } from "../../secret/secret.ts";
import { compareText } from "../../secret/text-order.ts";
import { markAnnotation } from "./kubernetes-names.ts";
import { loadManifest, type ManifestFile, type ManifestPlace } from "./manifest-file.ts";
import { findMarkList, printMarkList } from "./mark-list.ts";
import type { Found, Item, Mark, OpenTarget } from "./target.ts";

/** A kind of manifest that holds one cell a key: a value, a sealed value, or where one is. */
export interface ManifestShape<Cell> extends ManifestPlace {
  /** What stands in every such manifest, by path. Undefined is not there. */
  readonly fields: readonly (readonly [path: readonly string[], value: unknown])[];
  /** Where the cells are. */
  readonly cellsPath: readonly string[];
  /** The cells of a document, which is of anybody's making. */
  readCells(document: Document): ReadonlyMap<string, Cell>;
  /** The cells as data, which are in order of their names. */
  printCells(cells: ReadonlyMap<string, Cell>): unknown;
  makeCell(item: Item): Cell;
  valueIn?(cell: Cell): Secret | undefined;
  /** What the cells were made for, where another needs other cells: a certificate, a name. */
  readonly madeFor?: string;
  /** Before anything is written. Throws ProviderFailure. */
  check?(): Promise<void>;
}

const madeForAnnotation = "sealtree/made-for";
const staleAnnotation = "sealtree/stale";
/** Made for something else: no value that would do. */
const unfitFingerprint = "0".repeat(16);
const maxAnnotationBytes = 128 * 1024;

/**
 * A target that is one manifest in the repository, for others to apply. Cells without a mark are
 * somebody else's and stay, as do fields that it does not know of. The same cells are the same bytes.
 */
export function openManifest<Cell>(shape: ManifestShape<Cell>): OpenTarget {
  let held: ManifestFile | undefined;

  return {
    async inspect(names) {
      await shape.check?.();
      held = await loadManifest(shape);
      const cells = shape.readCells(held.document);
      const { marks, stale } = readMarks(held, shape);
      return [...new Set([...names, ...marks.keys()])].flatMap((name): Found[] => {
        const cell = cells.get(name);
        if (cell === undefined) return [];
        const mark = marks.get(name);
        const seen = mark !== undefined && stale.has(name) ? { ...mark, fingerprint: unfitFingerprint } : mark;
        return [{ name, mark: seen, value: shape.valueIn?.(cell) }];
      });
    },
    async apply({ writes, removes }, progress) {
      const file = (held ??= await loadManifest(shape));
      const { document } = file;
      const cells = new Map(shape.readCells(document));
      const { marks, stale } = readMarks(file, shape);
      for (const { name } of removes) {
        for (const held of [cells, marks, stale]) held.delete(name);
      }
      for (const item of writes) {
        cells.set(item.name, shape.makeCell(item));
        marks.set(item.name, item.mark);
        stale.delete(item.name);
      }
      for (const name of marks.keys()) if (!cells.has(name)) marks.delete(name);
      for (const [path, value] of [...shape.fields, ...annotations(shape, marks, stale)]) {
        if (value !== undefined) document.setIn(path, value);
        else if (document.hasIn(path)) document.deleteIn(path);
      }
      const sorted = new Map([...cells].toSorted(([a], [b]) => compareText(a, b)));
      document.setIn(shape.cellsPath, nodeOf(document, shape.printCells(sorted)));
      await file.save(document);
      held = undefined;
      for (const { name } of [...writes, ...removes]) progress.done(name);
    },
    close: () => Promise.resolve(),
  };
}

/** Quotes whatever could be a number for somebody, such as `1e3_` for Go. */
function nodeOf(document: Document, data: unknown): Node {
  const node = document.createNode(data);
  visit(node, {
    Scalar(_, scalar) {
      if (typeof scalar.value === "string" && /^[-+.0-9]/.test(scalar.value)) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return node;
}

/** Marks by name, and which of them are of cells that were made for something else. */
function readMarks<Cell>({ document, isThere }: ManifestFile, shape: ManifestShape<Cell>) {
  const read = (annotation: string) => {
    const text: unknown = isThere ? document.getIn(["metadata", "annotations", annotation]) : undefined;
    return typeof text === "string" ? text : "";
  };
  const marks = new Map(findMarkList([read(markAnnotation)]));
  const isOther = shape.madeFor !== undefined && read(madeForAnnotation) !== shape.madeFor;
  const stale = new Set(isOther ? marks.keys() : read(staleAnnotation).split(" "));
  return { marks, stale: new Set([...stale].filter((name) => marks.has(name))) };
}

function annotations<Cell>(
  shape: ManifestShape<Cell>,
  marks: ReadonlyMap<string, Mark>,
  stale: ReadonlySet<string>,
): ManifestShape<Cell>["fields"] {
  const [text = "", ...more] = printMarkList(marks, maxAnnotationBytes) ?? ["", ""];
  if (more.length > 0) throw new ProviderFailure("limit", "the marks of so many secrets have no room in one manifest");
  const at = (annotation: string) => ["metadata", "annotations", annotation];
  return [
    [at(markAnnotation), text],
    [at(madeForAnnotation), shape.madeFor],
    [at(staleAnnotation), stale.size === 0 ? undefined : [...stale].toSorted(compareText).join(" ")],
  ];
}
