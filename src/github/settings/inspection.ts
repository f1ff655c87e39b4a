import { z } from "zod";
import type { GithubRepository } from "../repository.ts";
import type { RepositoryPlace } from "./place.ts";
import type { SettingWants } from "./wants.ts";

/** What every part of the check works with. */
export interface Inspection {
  readonly repository: GithubRepository;
  readonly facts: RepositoryFacts;
  readonly place: RepositoryPlace;
  readonly wants: SettingWants;
}

const status = z.object({ status: z.string().optional() }).optional();

/** What is read of GET /repos/OWNER/NAME. */
export const repositoryFacts = z.object({
  owner: z.object({ type: z.string().optional() }),
  private: z.boolean(),
  fork: z.boolean(),
  archived: z.boolean(),
  default_branch: z.string().min(1),
  // Seen by those who may write contents alone.
  allow_merge_commit: z.boolean().optional(),
  allow_squash_merge: z.boolean().optional(),
  allow_rebase_merge: z.boolean().optional(),
  // Seen by administrators alone.
  security_and_analysis: z.object({ secret_scanning: status, secret_scanning_push_protection: status }).nullish(),
});
export type RepositoryFacts = z.infer<typeof repositoryFacts>;
