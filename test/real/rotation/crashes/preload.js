/* oxlint-disable typescript/no-unsafe-call -- plain JavaScript, which Node 20 can preload; nothing here has a type */
// Loaded into the built command with `node --import`. Moves its clock, writes each crash point that
// is reached as a line to a file, and ends it at one of them. CRASH says how, a JSON object:
//   {"report": FILE, "shiftMs": N}                                     only that
//   {..., "how": "kill" | "throw", "point": NAME, "occurrence": N}     SIGKILL or an error, the N-th time, from 1
const fs = process.getBuiltinModule("node:fs");
const plan = JSON.parse(process.env.CRASH ?? "{}");
delete process.env.CRASH;

const shiftMs = plan.shiftMs ?? 0;
const RealDate = Date;
const now = () => RealDate.now() + shiftMs;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, self) => Reflect.construct(target, args.length === 0 ? [now()] : args, self),
  get: (target, key) => (key === "now" ? now : Reflect.get(target, key)),
});

let occurrences = 0;

globalThis[Symbol.for("sealtree.crash-point")] = (point) => {
  fs.appendFileSync(plan.report, `${point}\n`);
  if (point !== plan.point) return;
  occurrences += 1;
  if (occurrences !== plan.occurrence) return;
  if (plan.how === "throw") throw new Error("a test threw this");
  process.kill(process.pid, "SIGKILL");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};
