/* oxlint-disable typescript/no-unsafe-call -- plain JavaScript, which Node preloads; nothing here has a type */
// Loaded into the built Action with `node --import`. Puts its clock where the simulation is, lets waits
// pass ten times as fast there as here, and may kill it. QUARTER says how, a JSON object:
//   {"startMs": N}                                              when it starts
//   {..., "kill": {"point": NAME, "occurrence": N}}             SIGKILL when it is at a crash point the N-th time
const plan = JSON.parse(process.env.QUARTER ?? "{}");
delete process.env.QUARTER;
const speed = 10;

const RealDate = Date;
const begunMs = RealDate.now();
let waitedMs = 0;
const now = () => (plan.startMs ?? begunMs) + (RealDate.now() - begunMs) + Math.round(waitedMs);
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, self) => Reflect.construct(target, args.length === 0 ? [now()] : args, self),
  get: (target, key) => (key === "now" ? now : Reflect.get(target, key)),
});

const timers = process.getBuiltinModule("node:timers/promises");
const { setTimeout: wait } = timers;
timers.setTimeout = async (ms, ...rest) => {
  const value = await wait(ms / speed, ...rest);
  waitedMs += ms - ms / speed;
  return value;
};
process.getBuiltinModule("node:module").syncBuiltinESMExports();
// How long an answer of a provider is waited for.
const callTimeoutMs = 30_000;
const realTimer = globalThis.setTimeout;
globalThis.setTimeout = (work, ms, ...rest) => realTimer(work, ms === callTimeoutMs ? ms / speed : ms, ...rest);

let occurrences = 0;
globalThis[Symbol.for("sealtree.crash-point")] = (point) => {
  if (point !== plan.kill?.point) return;
  occurrences += 1;
  if (occurrences !== plan.kill.occurrence) return;
  process.kill(process.pid, "SIGKILL");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};
