import { isProviderFailure } from "../../net/provider-failure.ts";

/** How many items a target looks at at a time: quicker than one by one, and within what services take. */
export const parallelLooks = 6;

/** Reads values as long as it is let: after the first refusal for want of rights everything is undefined. */
export function createPermittedReader<T>(read: (name: string) => Promise<T | undefined>) {
  let mayRead = true;
  return async (name: string): Promise<T | undefined> => {
    if (!mayRead) return undefined;
    try {
      return await read(name);
    } catch (error) {
      if (!isProviderFailure(error) || error.class !== "auth") throw error;
      mayRead = false;
      return undefined;
    }
  };
}
