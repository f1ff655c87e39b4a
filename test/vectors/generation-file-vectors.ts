import { encodeGeneration, hashReaders, type ReaderList } from "../../src/crypto/generation.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { printGenerationFile } from "../../src/store/generation-file.ts";
import { craftAgeFile } from "./craft-age-file.ts";
import { editAgeFile, flip, replaceOnce, swapLines } from "./edit-text.ts";
import { fingerprint } from "./generation-vectors.ts";
import {
  firstDek,
  firstGeneration,
  otherRecipient,
  otherScalar,
  secondDek,
  secondGeneration,
  testIdentity,
  testRecipient,
  testScalar,
  testScope,
  testTime,
} from "./test-keys.ts";
import { hex, type Fields, type Vector, type Verdict } from "./vector.ts";

const alice = fingerprint(testRecipient);
const deploy = fingerprint(otherRecipient);
const onlyAlice: ReaderList = new Map([["alice", [alice]]]);
const both: ReaderList = new Map([...onlyAlice, ["deploy", [deploy]]]);
const aliceScalars = [testScalar];

interface Parts {
  readonly scope?: string;
  readonly dek?: Uint8Array;
  readonly id?: string;
  readonly previous?: string | undefined;
  readonly mintedFor?: ReaderList;
  readonly wrappedFor?: ReaderList;
  readonly scalars?: readonly Uint8Array[];
  /** Scope that the payload names, when it is not the file's. */
  readonly payloadScope?: string;
  /** First byte of the payload. */
  readonly version?: number;
}

/** Keyring files: age file, payload and clear fields, right and wrong. */
export function generationFileVectors(): Vector[] {
  return [...goodVectors(), ...boundFieldVectors(), ...ageVectors(), ...textVectors()];
}

function goodVectors(): Vector[] {
  const odd: ReaderList = new Map([
    ["no", ["0123456789012345"]],
    ["alice", [alice]],
    ["null", ["012345678901e345", "0b10101010101010"]],
  ]);
  return [
    opens("first generation", "one reader, nothing before it", craft({}), { minted_for: list(onlyAlice) }),
    opens(
      "two readers",
      "the second was added later, so it is not in minted_for",
      craft({ wrappedFor: both, scalars: [testScalar, otherScalar] }),
      {
        wrapped_for: list(both),
      },
    ),
    {
      name: "next generation",
      comment: "replaces the first",
      input: inputOf(craft(second), { generation: secondGeneration }),
      expect: "ok",
      output: { ...outputOf, dek: hex(secondDek), previous: firstGeneration },
    },
    opens(
      "quoted names",
      "names and fingerprints that YAML reads as numbers or booleans are quoted",
      craft({ mintedFor: odd }),
      {
        minted_for: list(odd),
      },
    ),
  ];
}

function boundFieldVectors(): Vector[] {
  const file = craft({});
  const next = craft(second);
  const change = (from: string, to: string) => replaceOnce(file, from, to);
  return [
    fails(
      "reader added to minted_for",
      "the hash in the payload differs",
      replaceOnce(file, `minted_for: {alice: [${alice}]}`, `minted_for: {alice: [${alice}], deploy: [${deploy}]}`),
      "integrity",
    ),
    fails(
      "reader renamed in minted_for",
      "names are bound too",
      change("minted_for: {alice", "minted_for: {alina"),
      "integrity",
    ),
    fails(
      "fingerprint replaced in minted_for",
      "the hash in the payload differs",
      change(`minted_for: {alice: [${alice}`, `minted_for: {alice: [${deploy}`),
      "integrity",
    ),
    fails("time changed", "one second later", change("00:00:00Z", "00:00:01Z"), "integrity"),
    fails(
      "previous added",
      "the payload says that nothing was before it",
      change("previous: none", `previous: ${secondGeneration}`),
      "integrity",
    ),
    fails(
      "previous removed",
      "the payload says what was before it",
      replaceOnce(next, firstGeneration, "none"),
      "integrity",
      { generation: secondGeneration },
    ),
    fails(
      "swapped",
      "the second file under the name of the first",
      replaceOnce(next, secondGeneration, firstGeneration).replace(`previous: ${firstGeneration}`, "previous: none"),
      "integrity",
    ),
    fails(
      "other key in the payload",
      "all clear fields are right, the name is not this key's",
      craft({ dek: secondDek }),
      "integrity",
    ),
    fails(
      "payload of another scope",
      "the key's name is right, the scope beside it is not",
      craft({ payloadScope: "prod/web" }),
      "integrity",
    ),
    fails("payload of another version", "its first byte is 2", craft({ version: 2 }), "integrity"),
    fails(
      "moved to another scope",
      "with its scope line changed",
      change("$scope: prod/api", "$scope: prod/web"),
      "integrity",
      { scope: "prod/web" },
    ),
    fails(
      "stanza missing",
      "wrapped_for names two recipients, the age file has one",
      craft({ wrappedFor: both }),
      "integrity",
    ),
    fails(
      "stanza too many",
      "the age file has a reader that wrapped_for does not name",
      craft({ scalars: [testScalar, otherScalar] }),
      "integrity",
    ),
  ];
}

function ageVectors(): Vector[] {
  const file = craft({});
  return [
    fails("age header MAC changed", "one bit", editAgeFile(file, changeMac), "malformed"),
    fails("age body changed", "one bit of the payload", editAgeFile(file, flip(-20, 0x01)), "malformed"),
    fails(
      "age body cut",
      "the last byte of the tag is missing",
      editAgeFile(file, (bytes) => bytes.subarray(0, -1)),
      "malformed",
    ),
    fails(
      "age version",
      "another version of age",
      editAgeFile(file, flip("age-encryption.org/v".length, 0x03)),
      "malformed",
    ),
  ];
}

function textVectors(): Vector[] {
  const file = craft({});
  const change = (from: string, to: string) => replaceOnce(file, from, to);
  return [
    fails("empty", "no byte", "", "malformed"),
    fails("version 2", "not defined", change("$sealtree: 1", "$sealtree: 2"), "malformed"),
    fails("for another scope", "the scope line and the path differ", file, "malformed", { scope: "prod/web" }),
    fails("under another name", "the generation and the file name differ", file, "malformed", {
      generation: secondGeneration,
    }),
    fails("CR LF", "lines end with LF", file.replaceAll("\n", "\r\n"), "malformed"),
    fails("no final line feed", "the last line does not end", file.slice(0, -1), "malformed"),
    fails("one more line", "nothing comes after the key", `${file}  \n`, "malformed"),
    fails("a comment", "comments have no place here", `# comment\n${file}`, "malformed"),
    fails("order of fields", "fields have one order", swapLines(file, 5), "malformed"),
    fails(
      "readers not sorted",
      "names are in order",
      replaceOnce(
        craft({ mintedFor: both }),
        `{alice: [${alice}], deploy: [${deploy}]}`,
        `{deploy: [${deploy}], alice: [${alice}]}`,
      ),
      "malformed",
    ),
    fails(
      "member twice",
      "a name stands once in a list",
      change("minted_for: {", `minted_for: {alice: [${alice}], `),
      "malformed",
    ),
    fails(
      "number without quotes",
      "YAML reads the fingerprint as a number",
      craft({ mintedFor: new Map([["a", ["0123456789012345"]]]) }).replaceAll('"', ""),
      "malformed",
    ),
    fails("needless quotes", "quotes stand only where they must", change("{alice: ", '{"alice": '), "malformed"),
    fails("fingerprint in upper case", "hex is in lower case", change(alice, alice.toUpperCase()), "malformed"),
    fails("time with fraction", "times are whole seconds", change("00:00:00Z", "00:00:00.000Z"), "malformed"),
    fails("time with offset", "times are UTC", change("00:00:00Z", "00:00:00+00:00"), "malformed"),
    fails(
      "no reader",
      "a list has at least one reader",
      change(`wrapped_for: {alice: [${alice}]}`, "wrapped_for: {}"),
      "malformed",
    ),
    fails("a tag", "YAML tags are not read", change("generation: ", "generation: !!str "), "malformed"),
  ];
}

const second: Parts = { dek: secondDek, id: secondGeneration, previous: firstGeneration };
const outputOf: Fields = {
  dek: hex(firstDek),
  previous: null,
  created: testTime,
  minted_for: list(onlyAlice),
  wrapped_for: list(onlyAlice),
};

function craft({
  scope = testScope,
  dek = firstDek,
  id = firstGeneration,
  previous,
  mintedFor = onlyAlice,
  wrappedFor = onlyAlice,
  scalars = aliceScalars,
  payloadScope = scope,
  version = 1,
}: Parts): string {
  const payload = encodeGeneration({
    dek,
    createdAt: testTime,
    previous,
    mintedForHash: hashReaders(mintedFor),
    scope: payloadScope,
  });
  payload[0] = version;
  const armored = craftAgeFile(scalars, payload);
  return printGenerationFile(parseScopePath(scope), {
    id,
    previous,
    createdAt: testTime,
    mintedFor,
    wrappedFor,
    armored,
  });
}

function changeMac(bytes: Buffer): Uint8Array {
  return flip(bytes.indexOf("\n---") + 6, 0x01)(bytes);
}

function opens(name: string, comment: string, file: string, change: Fields): Vector {
  return { name, comment, input: inputOf(file), expect: "ok", output: { ...outputOf, ...change } };
}

function fails(name: string, comment: string, file: string, expect: Verdict, change: Fields = {}): Vector {
  return { name, comment, input: inputOf(file, change), expect };
}

function inputOf(file: string, change: Fields = {}): Fields {
  return { scope: testScope, generation: firstGeneration, identity: testIdentity, ...change, file };
}

function list(readers: ReaderList): Fields {
  return Object.fromEntries(readers);
}
