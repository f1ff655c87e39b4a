import { crashPoints } from "../../../src/rotation/crash-points.ts";
import type { RotationOutcome } from "../../../src/rotation/rotation-outcome.ts";
import type { RotationRequest } from "../../../src/rotation/rotation-request.ts";
import type { ModelKind } from "./model-provider.ts";
import { remoteModel, type ModelReply, type ModelRequest } from "./remote-model.ts";
import { runEngine } from "./run-engine.ts";

/** A process that runs the engine when it is told to; what it is told, and what it says. */
export interface RacerSettings {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly kind: ModelKind;
}

export type ToRacer =
  | {
      readonly kind: "run";
      readonly nowMs: number;
      readonly request: RotationRequest;
      /** Kills the process with SIGKILL when it has reached so many points. */
      readonly killAt: number | undefined;
    }
  | { readonly kind: "reply"; readonly id: number; readonly reply: ModelReply };

export type FromRacer =
  | { readonly kind: "ready" }
  | { readonly kind: "ask"; readonly id: number; readonly request: ModelRequest }
  | { readonly kind: "done"; readonly outcome: RotationOutcome | undefined };

const settings = JSON.parse(process.argv[2] ?? "") as RacerSettings;
const say = (message: FromRacer) => process.send?.(message);
const waiting = new Map<number, (reply: ModelReply) => void>();
let asked = 0;
const bind = remoteModel(settings.kind, (request) => {
  const id = ++asked;
  say({ kind: "ask", id, request });
  return new Promise((resolve) => waiting.set(id, resolve));
});

process.on("message", (message: ToRacer) => {
  if (message.kind === "reply") {
    waiting.get(message.id)?.(message.reply);
    waiting.delete(message.id);
    return;
  }
  const { nowMs, request, killAt } = message;
  let reached = 0;
  Reflect.set(globalThis, Symbol.for("sealtree.crash-point"), (point: string) => {
    if (!(crashPoints as readonly string[]).includes(point)) throw new Error(`the point ${point} is not registered`);
    if (++reached === killAt) process.kill(process.pid, "SIGKILL");
  });
  void runEngine({ ...settings, now: () => new Date(nowMs), bind }, [request]).then(
    ([result]) => say({ kind: "done", outcome: result?.outcome }),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
process.once("disconnect", () => process.exit());
say({ kind: "ready" });
