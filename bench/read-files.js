import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// The baseline of a check: reads every file below the given folders once.
for (const folder of process.argv.slice(2)) {
  for (const item of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (item.isFile()) readFileSync(join(item.parentPath, item.name));
}
