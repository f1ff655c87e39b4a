import type { Secret } from "../secret/secret.ts";

/** A token, or keys, and how many seconds it is good; undefined when nobody says. */
export interface TimedToken<Token = Secret> {
  readonly token: Token;
  readonly seconds: number | undefined;
}

/** A token is asked for again this long before its end, so that none ends on its way. */
const marginMs = 120_000;

/** Gives the token that `ask` got, and asks again when its time is over or nothing came. */
export function createTokenCache<Token>(ask: () => Promise<TimedToken<Token>>, now: () => Date): () => Promise<Token> {
  let held: { readonly token: Promise<TimedToken<Token>>; goodUntilMs: number } | undefined;
  return async () => {
    if (held === undefined || held.goodUntilMs <= now().getTime()) {
      const asked = { token: ask(), goodUntilMs: Number.POSITIVE_INFINITY };
      held = asked;
      void asked.token.then(
        ({ seconds }) => {
          if (seconds !== undefined) asked.goodUntilMs = now().getTime() + seconds * 1000 - marginMs;
        },
        () => {
          if (held === asked) held = undefined;
        },
      );
    }
    return (await held.token).token;
  };
}
