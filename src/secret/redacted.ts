const redacted = "[redacted]";

/** The same symbol as `inspect.custom` of node:util, without loading it. */
const inspectCustom = Symbol.for("nodejs.util.inspect.custom");

/**
 * Something that must not be shown: every accidental way out (template, JSON, inspect) gives
 * `[redacted]`. What it holds belongs in `#private` fields, which spread and clone leave out.
 */
export abstract class Redacted {
  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [Symbol.toPrimitive](): string {
    return redacted;
  }

  /** `Secret([redacted])` */
  [inspectCustom](): string {
    return `${this.label}(${redacted})`;
  }

  protected abstract get label(): string;
}
