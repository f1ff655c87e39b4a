import { z } from "zod";
import { isServiceUrl, type HttpAnswer } from "../../net/http-client.ts";
import { Secret } from "../../secret/secret.ts";
import { secretReference } from "../../services/secret-reference.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { readAnswer } from "../../services/service-answer.ts";
import { createTargetClient } from "../../services/service-client.ts";
import { applyEach } from "./apply-each.ts";
import { toVariableName, variableNameRule } from "./environment-name.ts";
import type { Found, Item, OpenTarget, Target, ValueRule } from "./target.ts";

/** A number, or a path such as `acme/backend/api`. */
const place = z.union([
  z.int().positive(),
  z.string().regex(/^(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/),
]);

const options = z
  .strictObject({
    project: place.exactOptional(),
    group: place.exactOptional(),
    /** Which environments have it: `*`, a name, or a name that ends in `/*`. */
    environment_scope: z
      .string()
      .regex(/^[A-Za-z0-9 _/$(){}.*-]{1,255}$/)
      .default("*"),
    /** Only pipelines of protected branches and tags have it. */
    protected: z.boolean().default(false),
    /** Kept out of the logs of jobs. */
    masked: z.boolean().default(true),
    /** A variable that is made is never shown again, to anybody. Implies masked. */
    hidden: z.boolean().default(false),
    /** False lets GitLab put other variables in where a value has a dollar sign. */
    raw: z.boolean().default(true),
    /** A token of the project, of the group or of a person, with the scope api. */
    token: secretReference,
    api: z
      .string()
      .refine(isServiceUrl, "the address of the API is not one that may be used")
      .default("https://gitlab.com/api/v4"),
  })
  .refine(
    ({ project, group }) => (project === undefined) !== (group === undefined),
    "write project or group, one of them",
  )
  .refine(({ masked, hidden }) => masked || !hidden, "what is hidden is masked too");
type GitlabOptions = z.infer<typeof options>;

const kind = "gitlab";

/** CI/CD variables of a project or a group at GitLab (REST API v4). One is known by its key and its environment scope. */
export const gitlabTarget: Target<GitlabOptions> = {
  describe: "CI/CD variables of a project or a group at GitLab",
  options,
  facts: ({ project, hidden, masked, raw }) => ({
    readsBack: !hidden,
    keepsMarks: false,
    hasVersions: false,
    comparesAndSwaps: false,
    nameRule: { ...variableNameRule, pattern: /^[A-Za-z0-9_]+$/, says: "letters, digits and _" },
    ...(masked ? { valueRule: maskRule(raw) } : {}),
    // GitLab names no limit, and takes a request of a few MiB.
    maxValueBytes: 1024 * 1024,
    maxItems: project === undefined ? 30_000 : 8000,
    holdsBinary: false,
  }),
  references: ({ token }) => [token],
  place: ({ project, group, environment_scope, api }) => {
    const owner = project === undefined ? `group ${group ?? ""}` : `project ${project}`;
    const { hostname } = new URL(api);
    const host = hostname === "gitlab.com" ? "" : `, at ${hostname}`;
    return `${owner.toLowerCase()}, environments ${environment_scope}${host}`;
  },
  toName: toVariableName,
  open: (checked, access) => Promise.resolve(openGitlab(checked, access)),
};

const pageOfVariables = z.array(
  z.object({ key: z.string(), value: z.string().nullable(), environment_scope: z.string().default("*") }),
);
const pageSize = 100;

function openGitlab(checked: GitlabOptions, access: ServiceAccess): OpenTarget {
  const { project, group, environment_scope, api, masked, hidden, raw } = checked;
  const owner = project === undefined ? ["groups", String(group)] : ["projects", String(project)];
  const path = [...owner, "variables"];
  const query = { "filter[environment_scope]": environment_scope };
  const client = createTargetClient(kind, {
    baseUrl: api,
    timeoutMs: access.timeoutMs,
    headers: { "private-token": access.read(checked.token) },
    // A project that may not be seen is one that is not there.
    classify: (status) => (status === 404 ? "auth" : undefined),
  });

  async function list(): Promise<Found[]> {
    const found: Found[] = [];
    for (let page = 1; ; page++) {
      const asked = { per_page: String(pageSize), page: String(page) };
      const answer: HttpAnswer = await client.send({ method: "GET", path, query: asked, expect: [200] });
      const listed = readAnswer(pageOfVariables, answer);
      const ours = listed.filter((it) => it.environment_scope === environment_scope);
      found.push(
        ...ours.map(({ key, value }) => ({ name: key, value: value === null ? undefined : Secret.text(value) })),
      );
      if (listed.length < pageSize) return found;
    }
  }

  async function write({ name, value }: Item): Promise<void> {
    const fields = { value, masked, raw, protected: checked.protected };
    const at = [...path, name];
    const answer = await client.send({ method: "PUT", path: at, query, body: { json: fields }, expect: [200, 404] });
    if (answer.status === 200) return;
    const json = { ...fields, key: name, environment_scope, ...(hidden ? { masked_and_hidden: true } : {}) };
    await client.send({ method: "POST", path, body: { json }, expect: [201] });
  }

  return {
    async inspect(names) {
      const wanted = new Set(names);
      return (await list()).filter(({ name }) => wanted.has(name));
    },
    apply: async (change, progress) =>
      await applyEach(change, progress, {
        write,
        remove: async ({ name }) => {
          await client.send({ method: "DELETE", path: [...path, name], query, expect: [204, 404] });
        },
      }),
    close: () => Promise.resolve(),
  };
}

/** What GitLab's runner can find in a log again. A value in which it puts others must have fewer characters. */
function maskRule(raw: boolean): ValueRule {
  const pattern = raw ? /^\S{8,}$/u : /^[A-Za-z0-9_+=/@:.~-]{8,}$/;
  const says = raw
    ? "one line of 8 characters or more without spaces, or masked must be false"
    : "8 characters or more of A-Z, a-z, 0-9 and _+=/@:.~-, or raw must be true or masked false";
  return { accepts: (value) => pattern.test(value.revealText() ?? ""), says };
}
