import { mapLimit } from "../../services/map-limit.ts";
import { readAnswer } from "../../services/service-answer.ts";
import type { GithubRepository } from "../repository.ts";
import { checkActions } from "./check-actions.ts";
import { checkBranch } from "./check-branch.ts";
import { checkCodeowners } from "./check-code-owners.ts";
import { checkEnvironments } from "./check-environments.ts";
import { checkRepository } from "./check-repository.ts";
import { checkRotation } from "./check-rotation.ts";
import { checkWorkflows } from "./check-workflows.ts";
import type { SettingFinding } from "./finding.ts";
import { repositoryFacts, type Inspection } from "./inspection.ts";
import { placeOf } from "./place.ts";
import type { SettingWants } from "./wants.ts";

/**
 * The settings of a repository against what sealtree needs, area by area. What the token may not see, and what
 * GitHub did not tell, is `unknown`, never `ok`. Changes nothing. Throws ProviderFailure when the
 * repository itself cannot be seen.
 */
export async function inspectSettings(repository: GithubRepository, wants: SettingWants): Promise<SettingFinding[]> {
  const answer = await repository.send({ method: "GET", path: [], expect: [200] });
  const facts = readAnswer(repositoryFacts, answer);
  const place = placeOf(wants.api, repository.owner, repository.name);
  const inspection: Inspection = { repository, facts, place, wants };
  const checks = [
    (it: Inspection) => Promise.resolve(checkRepository(it)),
    checkBranch,
    checkCodeowners,
    checkEnvironments,
    checkActions,
    checkWorkflows,
    checkRotation,
  ];
  return (await mapLimit(checks, 3, async (check) => await check(inspection))).flat();
}
