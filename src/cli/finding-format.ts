import { SealtreeError } from "../errors.ts";
import type { Context } from "./context.ts";

/** Forms that findings are printed in. */
const findingFormats = ["text", "github", "json", "sarif"] as const;
export type FindingFormat = (typeof findingFormats)[number];

/** The format that --format, --sarif and --json ask for. Throws E_USAGE. */
export function chooseFindingFormat(context: Context, options: Readonly<Record<string, unknown>>): FindingFormat {
  const asked = new Set([
    ...(context.options.json ? ["json"] : []),
    ...(options["sarif"] === true ? ["sarif"] : []),
    ...(typeof options["format"] === "string" ? [options["format"]] : []),
  ]);
  const [name = "text"] = asked;
  const format = findingFormats.find((known) => known === name);
  if (asked.size > 1)
    throw new SealtreeError("E_USAGE", "there is one format at a time", { hints: ["give one of them"] });
  if (format !== undefined) return format;
  throw new SealtreeError("E_USAGE", "there is no such format", { hints: [`--format ${findingFormats.join(", ")}`] });
}
