// Counts what passed and failed, for .ci/run.
//   count-tests.js REPORT STATUS   of one vitest JSON report, whose run ended with STATUS
//   count-tests.js --total FOLDER  of every *.count in a folder; exit 1 when something failed
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [first = "", second = ""] = process.argv.slice(2);
const count = first === "--total" ? total(second) : countReport(first, Number(second));
process.stdout.write(
  first === "--total" ? `${count.passed} passed, ${count.failed} failed\n` : `${JSON.stringify(count)}\n`,
);
if (first === "--total" && count.failed > 0) process.exitCode = 1;

/** A run that ends badly has at least one failure, also when no test of it could say so. */
function countReport(path, status) {
  const failure = { passed: 0, failed: 1 };
  try {
    const files = JSON.parse(readFileSync(path, "utf8")).testResults.map(countFile);
    return files.some(({ failed }) => failed > 0) || status === 0 ? sum(files) : sum([...files, failure]);
  } catch {
    return failure;
  }
}

/** In a file that failed, every test that did not pass failed: a broken hook skips the tests behind it. */
function countFile({ status, assertionResults }) {
  const passed = assertionResults.filter((test) => test.status === "passed").length;
  return { passed, failed: status === "passed" ? 0 : Math.max(1, assertionResults.length - passed) };
}

function total(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith(".count"));
  return sum(names.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8"))));
}

function sum(counts) {
  const add = (key) => counts.reduce((so, each) => so + each[key], 0);
  return { passed: add("passed"), failed: add("failed") };
}
