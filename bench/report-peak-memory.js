import { writeSync } from "node:fs";

// Loaded before a measured command: writes its peak resident memory, in KiB, to descriptor 3.
process.on("exit", () => writeSync(3, String(process.resourceUsage().maxRSS)));
