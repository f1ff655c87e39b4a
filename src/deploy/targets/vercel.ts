import { z } from "zod";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { secretReference } from "../../services/secret-reference.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { readAnswer } from "../../services/service-answer.ts";
import { printBearer } from "../../services/service-authorization.ts";
import { createTargetClient } from "../../services/service-client.ts";
import { serviceEndpoint } from "../../services/service-endpoint.ts";
import { hiddenVariableFacts, toVariableName, letterFirstNameRule } from "./environment-name.ts";
import type { Found, Item, OpenTarget, Target } from "./target.ts";

const options = z
  .strictObject({
    /** Name or id. */
    project: z.string().regex(/^(?!\.\.?$)[A-Za-z0-9._-]{1,100}$/),
    /** The id of the team that has the project. */
    team: z
      .string()
      .regex(/^team_[A-Za-z0-9]{1,64}$/)
      .exactOptional(),
    /** Which deployments have the values. */
    targets: z.array(z.enum(["production", "preview", "development"])).min(1),
    /** Only previews of this branch. */
    branch: z
      .string()
      .regex(/^[^\p{C}\s]{1,250}$/u)
      .exactOptional(),
    /** May write to the project. */
    token: secretReference,
    api: serviceEndpoint("api.vercel.com").default("https://api.vercel.com"),
  })
  .refine(
    ({ targets, branch }) => branch === undefined || targets.join() === "preview",
    "branch needs targets: [preview]",
  )
  .refine(({ targets }) => new Set(targets).size === targets.length, "a target is named twice");
type VercelOptions = z.infer<typeof options>;

const kind = "vercel";

/** Environment variables of a project at Vercel, of the type `sensitive`, which nobody can read again. */
export const vercelTarget: Target<VercelOptions> = {
  describe: "environment variables of a project at Vercel",
  options,
  facts: () => ({
    ...hiddenVariableFacts,
    nameRule: letterFirstNameRule,
    maxValueBytes: 64 * 1024,
    maxTotalBytes: 64 * 1024,
    maxItems: 1000,
    needsAfterwards: "a new deployment: those that run keep the old values",
  }),
  references: ({ token }) => [token],
  place: ({ project, team, targets, branch }) => {
    const of = branch === undefined ? "" : ` of ${branch}`;
    return `${project}${team === undefined ? "" : ` of ${team}`}, ${targets.toSorted().join(" and ")}${of}`;
  },
  toName: toVariableName,
  open: (checked, access) => Promise.resolve(openVercel(checked, access)),
};

const targetName = z.string();
const variable = z.object({
  id: z.string(),
  key: z.string(),
  target: z.union([z.array(targetName), targetName.transform((it) => [it])]).default([]),
  gitBranch: z.string().nullish(),
  updatedAt: z.number().optional(),
});
const listAnswer = z.object({ envs: z.array(variable) });
const upsertAnswer = z.object({
  failed: z.array(z.object({ error: z.object({ envVarKey: z.string().optional(), key: z.string().optional() }) })),
});
type Variable = z.infer<typeof variable>;

function openVercel({ project, team, targets, branch, token, api }: VercelOptions, access: ServiceAccess): OpenTarget {
  const headers = { authorization: printBearer(access.read(token)) };
  // A project that may not be seen is one that is not there.
  const classify = (status: number) => (status === 404 ? ("auth" as const) : undefined);
  const client = createTargetClient(kind, { baseUrl: api, timeoutMs: access.timeoutMs, headers, classify });
  const ofTeam = team === undefined ? {} : { teamId: team };
  const type = targets.includes("development") ? "encrypted" : "sensitive";

  const isSamePlace = (held: Variable) =>
    held.target.toSorted().join() === targets.toSorted().join() && (held.gitBranch ?? undefined) === branch;
  const overlaps = (held: Variable) =>
    (held.gitBranch ?? undefined) === branch && held.target.some((it) => (targets as readonly string[]).includes(it));

  function readFound(held: Variable): Found {
    const found = { name: held.key, revision: held.id, changedAtMs: held.updatedAt };
    if (isSamePlace(held)) return found;
    return { ...found, blocked: "Vercel holds it for other environments together with these; split it there first" };
  }

  async function write(writes: readonly Item[]): Promise<ReadonlySet<string>> {
    const json = writes.map(({ name, value }) => {
      return { key: name, value, type, target: targets, ...(branch === undefined ? {} : { gitBranch: branch }) };
    });
    const path = ["v10", "projects", project, "env"];
    const query = { ...ofTeam, upsert: "true" };
    const answer = await client.send({ method: "POST", path, query, body: { json }, expect: [201] });
    const { failed } = readAnswer(upsertAnswer, answer);
    const names = failed.map(({ error }) => error.envVarKey ?? error.key);
    if (names.every((name) => writes.some((it) => it.name === name))) return new Set(names as string[]);
    throw new ProviderFailure("unknown", "Vercel did not take all of the variables, and does not say which");
  }

  return {
    async inspect(names) {
      const wanted = new Set(names);
      const path = ["v9", "projects", project, "env"];
      const { envs } = readAnswer(listAnswer, await client.send({ method: "GET", path, query: ofTeam, expect: [200] }));
      return envs.filter((held) => wanted.has(held.key) && overlaps(held)).map(readFound);
    },
    async apply({ writes, removes }, progress) {
      for (const { name, revision } of removes) {
        const path = ["v9", "projects", project, "env", revision ?? ""];
        await client.send({ method: "DELETE", path, query: ofTeam, expect: [200, 404] });
        progress.done(name);
      }
      if (writes.length === 0) return;
      const failed = await write(writes);
      for (const { name } of writes) {
        if (failed.has(name))
          progress.failed(name, new ProviderFailure("rejected", "Vercel did not take the variable"));
        else progress.done(name);
      }
    },
    close: () => Promise.resolve(),
  };
}
