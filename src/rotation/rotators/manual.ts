import { z } from "zod";
import type { Rotator } from "./rotator.ts";

/** A person gets the new value from the provider and sets it; sealtree reminds. */
export const manualRotator: Rotator<Readonly<Record<string, never>>> = {
  name: "manual",
  kind: "manual",
  describe: "a person changes it at the provider and sets it here",
  options: z.strictObject({}),
};
