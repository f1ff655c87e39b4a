import { craftFrame } from "./craft-record.ts";
import {
  craftDigestFrame,
  craftRow,
  rowFields,
  testTableIntegrity,
  testTableKey,
  type CraftedRow,
  type RowParts,
} from "./craft-sql-row.ts";
import { fixedRandom, testIdentity, testTime } from "./test-keys.ts";
import { hex, type Fields, type Vector, type Verdict } from "./vector.ts";

const value = Buffer.from("test-value-of-a-row", "ascii");
const [ownerType, ownerId] = ["service", "billing"];

/** All rows of an owner, the first of them the one that a case changes. */
interface Table {
  readonly rows: readonly CraftedRow[];
  readonly owner: CraftedRow | undefined;
  readonly sealing: Sealing;
}

interface Sealing {
  readonly wrapping: "key" | "age";
  readonly integrity: Uint8Array | "";
}

const byKey: Sealing = { wrapping: "key", integrity: "" };
const byAge: Sealing = { wrapping: "age", integrity: "" };

/** Tables that open, and tables that are wrong in exactly one way. */
export function sqlRowVectors(): Vector[] {
  return [...goodVectors(), ...changedVectors(), ...shapeVectors(), ...tableVectors()];
}

function goodVectors(): Vector[] {
  const gone = row("GONE", byKey, { kind: "deleted", sequence: 5, frame: craftFrame(64, 2, 0, Buffer.alloc(0)) });
  const strange = row("Ünïcode 🦭 '; --", byKey, { sequence: 3 });
  const foreign = { ...row("FOREIGN", byKey), address: null, fingerprint: null };
  const integrity = { wrapping: "age", integrity: testTableIntegrity } as const;
  const good = table(byKey);
  return [
    opens("a key", "two values, sealed to a key", good),
    opens("age", "two values, sealed to an age recipient", table(byAge)),
    opens("an integrity key", "the salt of the key of the mac", table(integrity)),
    opens("a removed value", "a row of the kind deleted is not given out", table(byKey, [row("ALPHA", byKey), gone])),
    opens("any name", "names sort by their bytes", table(byKey, [row("zeta", byKey), strange, row("Alpha", byKey)])),
    opens("nothing", "an owner without rows", table(byKey, [])),
    opens("a row of somebody else", "it has no address, and is no part of the digest", {
      ...good,
      rows: [...good.rows, foreign],
    }),
    opens(
      "bytes",
      "a binary value",
      table(byKey, [row("ALPHA", byKey, { frame: craftFrame(64, 2, 3, value.subarray(0, 3)) })]),
    ),
  ];
}

/** The row of ALPHA with one thing changed after it was sealed; the digest has what is there. */
function changedVectors(): Vector[] {
  const change = (name: string, how: (row: CraftedRow) => CraftedRow, sealing = byKey) => {
    const rows = [how(row("ALPHA", sealing)), row("BETA", sealing)];
    return fails(
      name,
      "the row was changed after it was sealed, and the digest is of what is there",
      table(sealing, rows),
    );
  };
  return [
    change("other address", (it) => ({ ...it, address: "prod/web/ALPHA" })),
    change("other fingerprint", (it) => ({ ...it, fingerprint: "ffffffffffffffff" })),
    change("other readers", (it) => ({ ...it, readers: "ffffffffffffffff" })),
    change("other time", (it) => ({ ...it, changed_at_ms: it.changed_at_ms + 1 })),
    change("age, other sequence", (it) => ({ ...it, sequence: it.sequence + 1 }), byAge),
    change("age, other name", (it) => ({ ...it, name: "OTHER" }), byAge),
    change("age, removed", (it) => ({ ...it, kind: "deleted" }), byAge),
    change("other nonce", (it) => ({ ...it, sealed: flipHex(it.sealed, 0) })),
    change("other ciphertext", (it) => ({ ...it, sealed: flipHex(it.sealed, 20) })),
    change("other tag", (it) => ({ ...it, sealed: flipHex(it.sealed, -1) })),
    change("other mac", (it) => ({ ...it, mac: flipHex(it.mac, 0) })),
    change("age, body changed", (it) => ({ ...it, wrapped_key: flipHex(it.wrapped_key, -1) }), byAge),
    change("frame of kind 3", () => row("ALPHA", byKey, { frame: craftFrame(64, 3, 1, value) })),
    change("frame with padding", () => row("ALPHA", byKey, { frame: craftFrame(64, 1, 1, Buffer.of(1), 1) })),
    change("age, of another owner", () => row("ALPHA", byAge, { ownerId: "shop" }), byAge),
  ];
}

function shapeVectors(): Vector[] {
  const malformed = (name: string, how: (row: CraftedRow) => CraftedRow, sealing = byKey) =>
    fails(name, "the shape of a column is wrong", table(sealing, [how(row("ALPHA", sealing))]), "malformed");
  return [
    malformed("format 2", (it) => ({ ...it, format: 2 })),
    malformed("short mac", (it) => ({ ...it, mac: it.mac.slice(2) })),
    malformed("long mac", (it) => ({ ...it, mac: `${it.mac}00` })),
    malformed("frame of 63 bytes", () => row("ALPHA", byKey, { frame: Buffer.alloc(63) })),
    malformed("nothing sealed", (it) => ({ ...it, sealed: "" })),
    malformed("negative sequence", (it) => ({ ...it, sequence: -1 })),
    malformed("wrapping 3", (it) => ({ ...it, wrapped_key: `03${it.wrapped_key.slice(2)}` })),
    malformed("wrapped key cut short", (it) => ({ ...it, wrapped_key: it.wrapped_key.slice(0, -2) })),
    malformed("no wrapped key", (it) => ({ ...it, wrapped_key: "" })),
    malformed("age, a key of 33 bytes", () => row("ALPHA", byAge, { dek: Buffer.alloc(33, 0x74) }), byAge),
  ];
}

/** Every row is right, and they are not those of one deploy. */
function tableVectors(): Vector[] {
  const good = table(byKey);
  const [alpha, beta] = good.rows as [CraftedRow, CraftedRow];
  const old = row("ALPHA", byKey, { sequence: 2 });
  return [
    fails("row put back", "an older row of the same name", { ...good, rows: [old, beta] }),
    fails("row missing", "somebody took it away", { ...good, rows: [alpha] }),
    fails("row added", "it belongs to the owner, and not to this deploy", {
      ...good,
      rows: [alpha, beta, row("MORE", byKey)],
    }),
    fails("rows disowned", "without an address it is no part of the digest", {
      ...good,
      rows: [{ ...alpha, address: null, fingerprint: null }, beta],
    }),
    fails("no row of the owner", "rows without it", { ...good, owner: undefined }),
    fails("other integrity key", "the rows were made without one", {
      ...good,
      sealing: { ...byKey, integrity: testTableIntegrity },
    }),
  ];
}

function row(name: string, sealing: Sealing, own: Partial<RowParts> = {}): CraftedRow {
  return craftRow({
    ownerType,
    ownerId,
    kind: "value",
    name,
    sequence: 4,
    address: "prod/api/ALPHA",
    fingerprint: "0123456789abcdef",
    changedAtMs: testTime * 1000,
    frame: craftFrame(64, 1, value.length, value),
    dek: fixedRandom(`table key ${name}`)(32),
    ...sealing,
    ...own,
  });
}

/** Rows with the row of their owner, which is right for them whatever they are. */
function table(sealing: Sealing, rows = [row("ALPHA", sealing), row("BETA", sealing)]): Table {
  const sorted = rows.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  const frame = craftDigestFrame(sorted.map((it) => ({ ...it, sequence: Math.max(it.sequence, 0) })));
  const owner = row("", sealing, { kind: "owner", address: "", fingerprint: "", sequence: 6, frame });
  return { rows, owner, sealing };
}

function fieldsOf({ rows, owner, sealing }: Table): Fields {
  return {
    owner_type: ownerType,
    owner_id: ownerId,
    ...(sealing.wrapping === "key" ? { key: hex(testTableKey) } : { identity: testIdentity }),
    ...(sealing.integrity === "" ? {} : { integrity_key: hex(sealing.integrity) }),
    owner_row: owner === undefined ? null : rowFields(owner),
    rows: rows.map(rowFields),
  };
}

function opens(name: string, comment: string, given: Table): Vector {
  const values = given.rows
    .filter((it) => it.kind === "value" && it.address !== null)
    .map((it) => it.name)
    .toSorted()
    .map((it) => ({
      name: it,
      kind: name === "bytes" ? "binary" : "text",
      value: hex(name === "bytes" ? value.subarray(0, 3) : value),
    }));
  return { name, comment, input: fieldsOf(given), expect: "ok", output: { sequence: 6, values } };
}

function fails(name: string, comment: string, given: Table, expect: Verdict = "integrity"): Vector {
  return { name, comment, input: fieldsOf(given), expect };
}

function flipHex(text: string, at: number): string {
  const bytes = Buffer.from(text, "hex");
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 0x01;
  return hex(bytes);
}
