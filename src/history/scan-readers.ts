/** Who stands in the two lists of some version of a generation file, as `name fingerprint`. */
export interface SeenReaders {
  readonly mintedFor: readonly string[];
  readonly wrappedFor: readonly string[];
}

/**
 * The readers that a version of a generation file names. Less strict than parseGenerationFile:
 * who was written into an old file by hand could read it all the same. Undefined when it lacks
 * one of the lists, so that nobody can say who could read.
 */
export function scanReaders(bytes: Uint8Array): SeenReaders | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const keyAt = text.indexOf("\nkey: ");
  const lines = text.slice(0, keyAt < 0 ? text.length : keyAt).split(/\r?\n/);
  const mintedFor = readLists(lines, "minted_for: ");
  const wrappedFor = readLists(lines, "wrapped_for: ");
  return mintedFor === undefined || wrappedFor === undefined ? undefined : { mintedFor, wrappedFor };
}

/** The two parts of a text in {@link SeenReaders}. */
export function splitReader(reader: string): { readonly name: string; readonly fingerprint: string } {
  const space = reader.indexOf(" ");
  return { name: reader.slice(0, space), fingerprint: reader.slice(space + 1) };
}

function readLists(lines: readonly string[], key: string): string[] | undefined {
  const lists = lines.filter((line) => line.startsWith(key)).map((line) => line.slice(key.length));
  if (lists.length === 0) return undefined;
  return lists.flatMap((list) => list.split("]").flatMap(readItem));
}

function readItem(text: string): string[] {
  const [, name, prints] = /^[{, ]*"?([a-z][a-z0-9_-]{0,62})"? *: *\[(.*)$/.exec(text) ?? [];
  if (name === undefined || prints === undefined) return [];
  return [...prints.matchAll(/[0-9a-f]{16}/g)].map(([fingerprint]) => `${name} ${fingerprint}`);
}
