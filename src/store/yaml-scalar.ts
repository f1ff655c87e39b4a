/**
 * The strict subset of YAML that scope and keyring files use. A plain scalar that a YAML 1.1
 * or 1.2 reader could take for a boolean, a null, a number or a date stands in double quotes.
 */
const constants = new Set(["y", "yes", "n", "no", "true", "false", "on", "off", "null"]);
const number = /^(?:[0-9][0-9_.-]*|(?:[0-9][0-9_.-]*)?e-?[0-9]+|0b[01_]+|0o[0-7_]+|0x[0-9a-f_]+)$/;

/** `text` as it stands in our files. `text` has only letters, digits, `_`, `.`, `-` and `/`. */
export function printScalar(text: string): string {
  const lower = text.toLowerCase();
  return constants.has(lower) || number.test(lower) ? `"${text}"` : text;
}

/** The text of a scalar, or undefined when it is quoted in another way than {@link printScalar} does. */
export function parseScalar(written: string): string | undefined {
  const text = written.startsWith('"') && written.endsWith('"') && written.length > 1 ? written.slice(1, -1) : written;
  return printScalar(text) === written ? text : undefined;
}
