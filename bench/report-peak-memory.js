import { readFileSync, writeSync } from "node:fs";

// Loaded before a measured command: writes its peak resident memory, in KiB, to descriptor 3.
process.on("exit", () => writeSync(3, String(readPeak())));

/** Linux counts the process that started this one into maxRSS, and not into VmHWM. */
function readPeak() {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS;
  return /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))[1];
}
