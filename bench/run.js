// Measures the built command as a user runs it, and writes the tables of docs/performance.md.
// --quick measures less and writes nothing.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { benchAction } from "./action.js";
import { benchCheck } from "./check.js";
import { benchDeploy } from "./deploy.js";
import { benchExposure } from "./exposure.js";
import { benchHistory } from "./history.js";
import { benchLibrary } from "./library.js";
import { benchReferences } from "./references.js";
import { benchReview } from "./review.js";
import { benchRevoke } from "./revoke.js";
import { benchRotation } from "./rotation.js";
import { benchScale } from "./scale.js";
import { benchScan } from "./scan.js";
import { benchSeal } from "./seal.js";
import { benchStartUp } from "./start-up.js";
import { printTable, writeBetweenMarkers } from "./table.js";
import { benchVerify } from "./verify.js";

const page = new URL("../docs/performance.md", import.meta.url);
const { values: flags } = parseArgs({ options: { quick: { type: "boolean" } } });
const size = flags.quick
  ? {
      startUp: 5,
      action: { rounds: 5, values: 50 },
      seal: 5,
      scale: { rounds: 2, scopes: 20, scopeSize: 10, importSize: 500 },
      check: { rounds: 1, scopes: 200 },
      deploy: { rounds: 2, secrets: 100 },
      exposure: { rounds: 2, commits: 500, scopes: 20 },
      history: { rounds: 2, commits: 500, scopes: 20 },
      scan: { rounds: 2, megabytes: 20 },
      review: { rounds: 2 },
      revoke: { rounds: 1, scopes: 20, scopeSize: 10 },
      rotation: { secrets: 50, scopeSize: 10, batchSize: 25 },
      verify: { rounds: 1, commits: 300, scopes: 20 },
      library: { rounds: 2, references: 1000 },
      references: { rounds: 2, references: 1000, scopes: 10 },
    }
  : {
      startUp: 41,
      action: { rounds: 41, values: 50 },
      seal: 31,
      scale: { rounds: 7, scopes: 1000, scopeSize: 100, importSize: 10_000 },
      check: { rounds: 3, scopes: 10_000 },
      deploy: { rounds: 7, secrets: 500 },
      exposure: { rounds: 5, commits: 10_000, scopes: 200 },
      history: { rounds: 5, commits: 10_000, scopes: 200 },
      scan: { rounds: 5, megabytes: 500 },
      review: { rounds: 5 },
      revoke: { rounds: 3, scopes: 500, scopeSize: 50 },
      rotation: { secrets: 500, scopeSize: 10, batchSize: 25 },
      verify: { rounds: 3, commits: 10_000, scopes: 200 },
      library: { rounds: 11, references: 1000 },
      references: { rounds: 11, references: 1000, scopes: 10 },
    };

const machine = `Node ${process.versions.node} on ${process.platform} ${process.arch}, ${cpus().length} cores (${cpus()[0].model.trim()}).\n`;
const parts = [machine, "### Cold start", printTable(benchStartUp({ rounds: size.startUp }))];
parts.push("### Action", printTable(benchAction(size.action)));
parts.push("### Sealing and opening", printTable(await benchSeal({ rounds: size.seal })));
parts.push("### Scale", printTable(benchScale(size.scale)));
parts.push("### Check", printTable(benchCheck(size.check)));
parts.push("### Scan", printTable(benchScan(size.scan)));
parts.push("### History", printTable([...benchExposure(size.exposure), ...benchHistory(size.history)]));
parts.push("### Signed history", printTable(benchVerify(size.verify)));
parts.push("### Review", printTable(benchReview(size.review)));
parts.push("### Revocation", printTable(benchRevoke(size.revoke)));
parts.push("### Rotation", printTable(await benchRotation(size.rotation)));
parts.push("### Deploy", printTable(await benchDeploy(size.deploy)));
parts.push("### Library", printTable(benchLibrary(size.library)));
parts.push("### References", printTable(benchReferences(size.references)));

const text = parts.map((part) => `${part.trimEnd()}\n`).join("\n");
process.stdout.write(text);
if (!flags.quick) writeBetweenMarkers(page, text);
