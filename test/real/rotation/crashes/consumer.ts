import { setTimeout as sleep } from "node:timers/promises";
import type { Field } from "./field.ts";
import type { Lane } from "./lane.ts";

/** How often a program looks for its credential and logs in. */
const pauseMs = 200;

export interface Consumer {
  /** How often it logged in. */
  readonly logins: number;
  /** Ends it; gives what it was refused, one sentence each. */
  stop(): Promise<string[]>;
}

/**
 * A program that takes the credential of the remote's HEAD and logs in with it, again and again.
 * `looksAgain`: when it is refused it looks whether HEAD has another by now, as it must where the
 * old one ends without a grace.
 */
export function startConsumer(field: Field, lane: Lane, looksAgain: boolean): Consumer {
  const stopping = new AbortController();
  const outages: string[] = [];
  let logins = 0;
  const poll = async () => {
    while (!stopping.signal.aborted) {
      const { commit, live } = await field.head();
      const isLetIn = await lane.isLetIn(live);
      logins++;
      const isNews = looksAgain && (await field.head()).commit !== commit;
      if (!isLetIn && !isNews) outages.push(`the consumer was refused with the credential of ${commit.slice(0, 8)}`);
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const ended = poll().catch((error: unknown) => {
    outages.push(`the consumer could not ask: ${String(error)}`);
  });
  return {
    get logins() {
      return logins;
    },
    async stop() {
      stopping.abort();
      await ended;
      return outages;
    },
  };
}
