import { readFileSync } from "node:fs";

/** The texts of a page's blocks of SQL, in order. */
export function readSqlBlocks(page: string): string[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), "utf8");
  return [...text.matchAll(/^```sql\n([^]*?)^```$/gm)].map(([, block]) => block ?? "");
}
