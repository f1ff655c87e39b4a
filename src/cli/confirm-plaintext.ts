import type { Context } from "./context.ts";
import { safeText } from "./safe-text.ts";

/** Asks before plaintext goes to a terminal; goes on at once where it goes elsewhere or --yes is given. */
export async function confirmPlaintext(context: Context, what: string): Promise<void> {
  if (context.io.stdout.isTTY === true) await context.confirm(`print ${what} on this terminal?`);
}

/** Writes plaintext to stdout: as it is, or made safe to show when that is a terminal. */
export function writePlaintext({ io }: Context, text: string): void {
  io.stdout.write(io.stdout.isTTY === true ? safeText(text) : text);
}
