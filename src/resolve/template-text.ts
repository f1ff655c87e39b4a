import type { TemplateFormat, TemplateString } from "./template-format.ts";

/** Text of no format: one string, in which values are put as they are. */
export const textTemplate: TemplateFormat<TemplateString> = {
  parse: (text) => [{ start: 0, end: text.length, value: text, isKey: false }],
  print: (_text, _string, { value }) => value,
};
