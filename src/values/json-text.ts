import type { SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import type { Entries } from "./entries.ts";
import { addEntry, checkInputText, inputError, parseBinaryAt, parseNameAt, parseValueAt } from "./input-text.ts";

/** The key of the object that holds a binary value: `{"$binary": "<base64>"}`. */
const binaryKey = "$binary";

const space = /[ \t\r\n]*/y;
const stringToken = /"[^"\\]*(?:\\.[^"\\]*)*"/sy;

/**
 * The entries of a flat JSON object (RFC 8259) whose values are strings, or
 * `{"$binary": "<base64>"}`. Anything else is E_INPUT_INVALID with the name and the line:
 * a number would have lost digits before we saw it. Read by hand because JSON.parse lets
 * the last of two equal keys win, and quotes the text in its errors.
 */
export function parseJson(text: string): Map<SecretName, Secret> {
  checkInputText(text);
  const reader = new JsonReader(text);
  const entries = new Map<SecretName, Secret>();
  reader.members(() => {
    const line = reader.line;
    const name = parseNameAt(reader.string("a name"), line);
    reader.colon();
    addEntry(entries, name, reader.next === "{" ? readBinary(reader, name) : readText(reader, name), line);
  });
  reader.end();
  return entries;
}

/** The entries as a JSON object with two spaces of indent. Never refuses a value. */
export function printJson(entries: Entries): string {
  const members = [...entries].map(([name, secret]) => `  ${JSON.stringify(name)}: ${printValue(secret)}`);
  return members.length === 0 ? "{}\n" : `{\n${members.join(",\n")}\n}\n`;
}

function readText(reader: JsonReader, name: SecretName): Secret {
  const line = reader.line;
  return parseValueAt(reader.string(`the value of ${name}`), name, line);
}

function readBinary(reader: JsonReader, name: SecretName): Secret {
  const line = reader.line;
  const members: Secret[] = [];
  reader.members(() => {
    const key = reader.string("a key");
    reader.colon();
    if (key !== binaryKey) throw inputError(`${name} holds an object`, line, "the object has to be flat");
    members.push(parseBinaryAt(reader.string(`the value of ${name}.${binaryKey}`), name, line));
  });
  const [secret, second] = members;
  if (secret === undefined || second !== undefined) {
    throw inputError(`${name} holds an object`, line, "the object has to be flat");
  }
  return secret;
}

function printValue(secret: Secret): string {
  const text = secret.kind === "binary" ? undefined : secret.revealText();
  if (text !== undefined) return JSON.stringify(text);
  return `{ "${binaryKey}": "${Buffer.from(secret.reveal()).toString("base64")}" }`;
}

/** A cursor over JSON text that knows strings and objects, and says what it found instead. */
class JsonReader {
  readonly #text: string;
  #offset = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
    this.#skipSpace();
  }

  get line(): number {
    return this.#line;
  }

  get next(): string {
    return this.#text.charAt(this.#offset);
  }

  members(readMember: () => void): void {
    this.#take("{", "the text is not a JSON object");
    if (this.#skip("}")) return;
    do readMember();
    while (this.#skip(","));
    this.#take("}", "the JSON has no comma or closing brace here");
  }

  colon(): void {
    this.#take(":", "the JSON has no colon after a name");
  }

  string(what: string): string {
    stringToken.lastIndex = this.#offset;
    const token = stringToken.exec(this.#text)?.[0] ?? "";
    const value = decodeString(token);
    if (value === undefined) throw inputError(`${what} is ${this.#kind()}, not a string`, this.line);
    this.#offset += token.length;
    this.#skipSpace();
    return value;
  }

  end(): void {
    if (this.next !== "") throw inputError("the JSON goes on after its end", this.line);
  }

  #take(character: string, message: string): void {
    if (!this.#skip(character)) throw inputError(message, this.line);
  }

  #skip(character: string): boolean {
    if (this.next !== character) return false;
    this.#offset += 1;
    this.#skipSpace();
    return true;
  }

  #skipSpace(): void {
    space.lastIndex = this.#offset;
    const skipped = space.exec(this.#text)?.[0] ?? "";
    this.#offset += skipped.length;
    this.#line += skipped.split("\n").length - 1;
  }

  #kind(): string {
    if (/[-0-9]/.test(this.next)) return "a number";
    if (/[tf]/.test(this.next)) return "true or false";
    if (this.next === "n") return "null";
    if (this.next === "[") return "a list";
    if (this.next === "{") return "an object";
    return this.next === '"' ? "a broken string" : "something";
  }
}

function decodeString(token: string): string | undefined {
  try {
    return JSON.parse(token) as string;
  } catch {
    return undefined;
  }
}
