/* oxlint-disable typescript/no-unsafe-call -- plain JavaScript, which Node 20 can preload; nothing here has a type */
// Loaded into the built command with `node --import`. Counts every call that changes a file and
// every program that is started, and does at one of them what FAULT says, a JSON object:
//   {"mode": "count", "of": "kill" | "fail", "report": FILE}   writes one line a point to FILE
//   {"mode": "kill", "at": N}                                 SIGKILL to this process at point N, from 1
//   {"mode": "fail", "at": N, "code": "ENOSPC"}               the call of point N fails
// A write has two points: before it, and when half of it is written. Programs and removals are
// points of a kill only: a disk that refuses a removal leaves nothing but rubbish.
import { syncBuiltinESMExports } from "node:module";

const fs = process.getBuiltinModule("node:fs");
const childProcess = process.getBuiltinModule("node:child_process");
const plan = JSON.parse(process.env.FAULT ?? "{}");
delete process.env.FAULT;
const isKill = (plan.of ?? plan.mode) === "kill";
const original = { appendFileSync: fs.appendFileSync, spawn: childProcess.spawn };
const messages = { ENOSPC: "no space left on device", EIO: "i/o error", EACCES: "permission denied" };

let points = 0;
let depth = 0;

/** One point; true when the fault is to happen here. */
function reach(label) {
  points += 1;
  if (plan.mode === "count") {
    depth += 1;
    original.appendFileSync(plan.report, `${label}\n`);
    depth -= 1;
  }
  return points === plan.at;
}

function die() {
  process.kill(process.pid, "SIGKILL");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function fail(name) {
  throw Object.assign(new Error(`${plan.code}: ${messages[plan.code]}, ${name}`), { code: plan.code, syscall: name });
}

/** A name for a file that is the same in every run. */
function nameOf(target) {
  if (typeof target === "number") return "";
  const path = String(target).replaceAll(/[0-9a-f]{8,}|\d{2,}/g, "*");
  return path.split("/").slice(-2).join("/");
}

/** Wraps a call of `fs`. A call within a call, as Node makes them, is no point of its own. */
function wrap(name, { isPoint = () => true, tear } = {}) {
  const call = fs[name];
  fs[name] = (...args) => {
    if (depth > 0 || !isPoint(...args)) return call(...args);
    depth += 1;
    try {
      const label = `${name} ${nameOf(args[0])}`.trim();
      if (reach(label)) {
        if (plan.mode === "fail") fail(name);
        die();
      }
      if (tear !== undefined && reach(`${label}, half`)) {
        tear(call, args);
        if (plan.mode === "fail") fail(name);
        die();
      }
      return call(...args);
    } finally {
      depth -= 1;
    }
  };
}

function writeHalf(call, [target, data, ...rest]) {
  call(target, Buffer.from(data).subarray(0, data.length / 2), ...rest);
}

const isWriting = (_path, flags = "r") => (typeof flags === "number" ? (flags & 3) !== 0 : flags !== "r");

wrap("openSync", { isPoint: isWriting });
const isFile = (target) => target !== 1 && target !== 2;
for (const name of ["writeFileSync", "appendFileSync", "writeSync"]) wrap(name, { isPoint: isFile, tear: writeHalf });
for (const name of ["fsyncSync", "renameSync", "linkSync", "mkdirSync", "mkdtempSync", "copyFileSync", "truncateSync"])
  wrap(name);
const isThere = (path) => isKill && fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;
for (const name of ["unlinkSync", "rmSync"]) wrap(name, { isPoint: isThere });

const { fsync } = fs;
fs.fsync = (descriptor, callback) => {
  if (!reach("fsync")) return fsync(descriptor, callback);
  if (plan.mode !== "fail") die();
  try {
    return fail("fsync");
  } catch (error) {
    return setImmediate(() => callback(error));
  }
};

childProcess.spawn = (program, args, options) => {
  if (!isKill) return original.spawn(program, args, options);
  const words = (Array.isArray(args) ? args : []).filter((word) => !/^-|=|\//.test(word));
  const label = `${nameOf(program)} ${words[0] ?? ""}`;
  if (reach(`start ${label}`)) die();
  const child = original.spawn(program, args, options);
  // The reader of objects is stopped, not awaited: when it ends says nothing.
  if (words[0] !== "cat-file") {
    child.once("exit", () => {
      if (reach(`end ${label}`)) die();
    });
  }
  return child;
};

syncBuiltinESMExports();
