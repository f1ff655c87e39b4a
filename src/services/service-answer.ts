import type { ZodType } from "zod";
import type { HttpAnswer } from "../net/http-client.ts";
import { isProviderFailure, ProviderFailure } from "../net/provider-failure.ts";
import type { Liveness } from "./liveness.ts";

/**
 * What an answer says, of which only the fields of `schema` are looked at. Throws ProviderFailure
 * `unknown`: what was asked for may be done, and the answer cannot be read.
 */
export function readAnswer<T>(schema: ZodType<T>, answer: HttpAnswer): T {
  const result = schema.safeParse(answer.json);
  if (result.success) return result.data;
  throw new ProviderFailure("unknown", "the service answered in a form that is not the one it describes");
}

/** What `ask` finds; `unknown` for a service that is not there or not now. Throws the rest of ProviderFailure. */
export async function askLiveness(ask: () => Promise<Liveness>): Promise<Liveness> {
  try {
    return await ask();
  } catch (error) {
    if (isProviderFailure(error) && (error.class === "transient" || error.class === "unknown")) return "unknown";
    throw error;
  }
}

/** How far a clock may be off before a refusal says nothing of the credential. */
const maxSkewMs = 4 * 60_000;

/** True when the clock of the service and `now` agree, or it does not tell its time. */
export function agreesOnTime(answer: HttpAnswer, now: Date): boolean {
  const date = Date.parse(answer.header("date") ?? "");
  return Number.isNaN(date) || Math.abs(date - now.getTime()) < maxSkewMs;
}
