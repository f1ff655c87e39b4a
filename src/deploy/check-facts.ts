import type { TargetEntry } from "./policy.ts";
import type { WantedItem } from "./plan.ts";

/** What a target would not take of what it shall have, one sentence each. Names are checked by the policy. */
export function findFactProblems({ name, bound }: TargetEntry, wanted: readonly WantedItem[]): string[] {
  const { maxValueBytes, maxTotalBytes, maxItems, holdsBinary, valueRule } = bound.facts;
  const problems: string[] = [];
  let total = 0;
  for (const { mark, value, name: there } of wanted) {
    const bytes = value.reveal().length;
    total += bytes + Buffer.byteLength(there);
    if (bytes > maxValueBytes) problems.push(`${mark.address} is larger than ${name} takes: ${maxValueBytes} bytes`);
    const isUnfit = !holdsBinary && value.kind === "binary";
    if (isUnfit) problems.push(`${mark.address} is binary, and ${name} holds text`);
    else if (valueRule?.accepts(value) === false) problems.push(`at ${name} ${mark.address} must be ${valueRule.says}`);
  }
  if (maxTotalBytes !== undefined && total > maxTotalBytes)
    problems.push(`${name} holds ${maxTotalBytes} bytes with all names and values, and this is more`);
  if (maxItems !== undefined && wanted.length > maxItems)
    problems.push(`${name} holds ${maxItems} values, and these are ${wanted.length}`);
  return problems;
}
