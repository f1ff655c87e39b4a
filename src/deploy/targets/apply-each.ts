import { isProviderFailure } from "../../net/provider-failure.ts";
import type { Change, Found, Item, Progress } from "./target.ts";

/**
 * Makes a change item by item, for a target with one call an item: an item that is rejected is told
 * and the others go on; any other failure is thrown.
 */
export async function applyEach(
  change: Change,
  progress: Progress,
  calls: { write(item: Item): Promise<void>; remove(found: Found): Promise<void> },
): Promise<void> {
  const steps = [
    ...change.writes.map((item) => ({ name: item.name, run: () => calls.write(item) })),
    ...change.removes.map((found) => ({ name: found.name, run: () => calls.remove(found) })),
  ];
  for (const { name, run } of steps) {
    try {
      await run();
      progress.done(name);
    } catch (error) {
      if (!isProviderFailure(error) || error.class !== "rejected") throw error;
      progress.failed(name, error);
    }
  }
}
