import { findPlace, type GitPlace } from "../git/place.ts";
import { hasCode } from "../errors.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { diagnoseIdentity } from "./diagnose-identity.ts";
import { diagnoseMachine } from "./diagnose-machine.ts";
import { diagnoseRepository } from "./diagnose-repository.ts";
import { fail, type Diagnosis, type Patient } from "./diagnosis.ts";

/** Looks at everything that sealtree needs around it. Changes nothing; what is wrong is in the result. */
export async function diagnose(patient: Patient): Promise<Diagnosis[]> {
  const machine = await diagnoseMachine(patient);
  const place = findRepository(patient);
  const repository = place === undefined ? [noRepository()] : await diagnoseWithGit(place, patient, machine);
  const tree = place === undefined ? undefined : openWorkTree(place.root);
  return [...machine, ...repository, ...(await diagnoseIdentity(patient, tree))];
}

/** Without a git that runs, what git would say of the repository is left out. */
async function diagnoseWithGit(place: GitPlace, patient: Patient, machine: readonly Diagnosis[]): Promise<Diagnosis[]> {
  if (machine.some(({ name, status }) => name === "git" && status === "fail")) return [];
  return await diagnoseRepository(place, patient);
}

function findRepository({ directory, env }: Patient): GitPlace | undefined {
  try {
    return findPlace(directory, env);
  } catch (error) {
    if (hasCode(error, "E_NO_REPOSITORY")) return undefined;
    throw error;
  }
}

function noRepository(): Diagnosis {
  return fail("repository", "no git repository here or above", "go to your repository, or: git init && sealtree init");
}
