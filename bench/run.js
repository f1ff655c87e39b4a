// Measures the built command as a user runs it, and writes the tables of docs/performance.md.
// --quick measures less and writes nothing.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { benchScale } from "./scale.js";
import { benchSeal } from "./seal.js";
import { benchStartUp } from "./start-up.js";
import { printTable, writeBetweenMarkers } from "./table.js";

const page = new URL("../docs/performance.md", import.meta.url);
const { values: flags } = parseArgs({ options: { quick: { type: "boolean" } } });
const size = flags.quick
  ? { startUp: 5, seal: 5, scale: { rounds: 2, scopes: 20, scopeSize: 10, importSize: 500 } }
  : { startUp: 41, seal: 31, scale: { rounds: 7, scopes: 1000, scopeSize: 100, importSize: 10_000 } };

const machine = `Node ${process.versions.node} on ${process.platform} ${process.arch}, ${cpus().length} cores (${cpus()[0].model.trim()}).\n`;
const parts = [machine, "### Cold start", printTable(benchStartUp({ rounds: size.startUp }))];
parts.push("### Sealing and opening", printTable(await benchSeal({ rounds: size.seal })));
parts.push("### Scale", printTable(benchScale(size.scale)));

const text = parts.map((part) => `${part.trimEnd()}\n`).join("\n");
process.stdout.write(text);
if (!flags.quick) writeBetweenMarkers(page, text);
