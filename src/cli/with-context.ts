import { isSealtreeError } from "../errors.ts";
import type { CommonOptions } from "./command.ts";
import { createContext, type Context } from "./context.ts";
import type { Io } from "./io.ts";

/**
 * Does `work` with a context of its own, and closes that. A failure that concerns secrets goes into
 * the audit log, under `operation` until the work says what it is about, and is thrown.
 */
export async function withContext<T>(
  io: Io,
  options: CommonOptions,
  operation: string,
  work: (context: Context) => Promise<T>,
): Promise<T> {
  const context = createContext(io, options, operation);
  try {
    return await work(context);
  } catch (error) {
    if (isSealtreeError(error)) {
      const { auditFailure } = await import("./audit-failure.ts");
      auditFailure(context, error);
    }
    throw error;
  } finally {
    context.close();
  }
}
