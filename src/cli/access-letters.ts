import { actions, type Action } from "../access/policy-schema.ts";

const letters = { read: "r", write: "w", delete: "d", rotate: "o", deploy: "p" } as const satisfies Record<
  Action,
  string
>;

/** What is allowed as five characters that line up: `rwdop`, `r····`. */
export function printLetters(allowed: readonly Action[]): string {
  return actions.map((action) => (allowed.includes(action) ? letters[action] : "·")).join("");
}

/** What the letters mean, in a line. */
export const lettersLegend = actions.map((action) => `${letters[action]} ${action}`).join(", ");
