import { z } from "zod";
import { listGithub, type GithubClient } from "../../services/github-client.ts";
import { readAnswer } from "../../services/service-answer.ts";
import type { GithubActionsOptions } from "./github-place.ts";

/** What a write of an organisation's secret says beside its value. Nothing for a repository's. */
type Visibility =
  | Readonly<Record<string, never>>
  | { readonly visibility: string; readonly selected_repository_ids?: readonly number[] };

const shown = z.object({ visibility: z.enum(["all", "private", "selected"]) });
const repository = z.object({ id: z.int() });
const pageOfRepositories = z.object({ repositories: z.array(repository) });

/**
 * Who may use the secrets of an organisation. GitHub takes it with each write, and a write without
 * the selected repositories empties their list, so what is there is read just before and sent again.
 */
export function createGithubVisibility(
  options: GithubActionsOptions,
  client: GithubClient,
  path: readonly string[],
): { read(name: string): Promise<Visibility> } {
  const { organization, repositories = [] } = options;
  let chosen: readonly number[] | undefined;

  /** The ids of the repositories that the policy names. */
  async function findChosen(): Promise<readonly number[]> {
    const ids: number[] = [];
    for (const name of repositories) {
      const answer = await client.send({ method: "GET", path: ["repos", organization ?? "", name], expect: [200] });
      ids.push(readAnswer(repository, answer).id);
    }
    return ids;
  }

  async function ofNew(): Promise<Visibility> {
    const { visibility = "private" } = options;
    if (visibility !== "selected") return { visibility };
    chosen ??= await findChosen();
    return { visibility, selected_repository_ids: chosen };
  }

  return {
    async read(name) {
      if (organization === undefined) return {};
      const answer = await client.send({ method: "GET", path: [...path, name], expect: [200, 404] });
      if (answer.status === 404) return await ofNew();
      const { visibility } = readAnswer(shown, answer);
      if (visibility !== "selected") return { visibility };
      const selected = [...path, name, "repositories"];
      const found = await listGithub(client, selected, pageOfRepositories, (page) => page.repositories);
      return { visibility, selected_repository_ids: found.map(({ id }) => id) };
    },
  };
}
