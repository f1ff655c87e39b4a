import type { Identity } from "../crypto/identity.ts";
import { hasCode } from "../errors.ts";

/** What `load` gives; none where it throws E_NO_IDENTITY. Throws what else it throws. */
export async function identitiesOrNone(load: () => Promise<readonly Identity[]>): Promise<readonly Identity[]> {
  try {
    return await load();
  } catch (error) {
    if (hasCode(error, "E_NO_IDENTITY")) return [];
    throw error;
  }
}
