import { startDescribedApi, type ApiCall, type ApiReply, type DescribedApi } from "./described-api.ts";

interface HeldVariable {
  readonly id: string;
  readonly key: string;
  readonly target: readonly string[];
  readonly gitBranch?: string;
  type: string;
  value: string;
  updatedAt: number;
}

export interface FakeVercel extends DescribedApi {
  readonly variables: HeldVariable[];
  /** As a person would on the web. */
  put(fields: Pick<HeldVariable, "key" | "value"> & Partial<HeldVariable>): void;
  /** Keys that are refused, as those that Vercel keeps for itself. */
  readonly reserved: Set<string>;
}

/**
 * The variables of the project `test-project`, by Vercel's published OpenAPI description. A variable
 * is known by its key, targets and branch; one of type sensitive is never shown again.
 */
export async function startFakeVercel(): Promise<FakeVercel> {
  const variables: HeldVariable[] = [];
  const reserved = new Set(["VERCEL_URL"]);
  let last = 1_767_000_000_000;
  const put: FakeVercel["put"] = (fields) => {
    const updatedAt = (last += 1000);
    variables.push({ id: `env${last}`, target: ["production"], type: "sensitive", ...fields, updatedAt });
  };

  function upsert(sent: Omit<HeldVariable, "id" | "updatedAt">): object | undefined {
    const { key, target, gitBranch } = sent;
    const refuse = (code: string) => ({ error: { code, message: "test", envVarKey: key, key } });
    if (reserved.has(key)) return refuse("RESERVED_ENV_VARIABLE");
    if (sent.type === "sensitive" && target.includes("development")) return refuse("BAD_REQUEST");
    const near = variables.filter((it) => it.key === key && it.gitBranch === gitBranch);
    const found = near.find((it) => it.target.toSorted().join() === target.toSorted().join());
    if (found === undefined && near.some((it) => it.target.some((each) => target.includes(each)))) {
      return refuse("ENV_CONFLICT");
    }
    if (found === undefined) put(sent);
    else Object.assign(found, { value: sent.value, type: sent.type, updatedAt: (last += 1000) });
    return undefined;
  }

  const api = await startDescribedApi({
    description: "vercel",
    headers: { authorization: /^Bearer \S+$/ },
    answer({ operation, params, query, body, header }: ApiCall): ApiReply {
      if (header("authorization") !== "Bearer test-token") return refused(403, "forbidden");
      const isKnown = params["idOrName"] === "test-project" && query.get("teamId") === "team_test";
      if (!isKnown) return refused(404, "not_found");
      if (operation.startsWith("GET")) return { status: 200, json: { envs: variables.map(show) } };
      if (operation.startsWith("POST")) {
        if (query.get("upsert") !== "true") throw new Error("this fake knows upsert alone");
        const sent = (Array.isArray(body) ? body : [body]) as Omit<HeldVariable, "id" | "updatedAt">[];
        const failed = sent.map(upsert).filter((it) => it !== undefined);
        const keys = new Set(sent.map(({ key }) => key));
        return { status: 201, json: { created: variables.filter(({ key }) => keys.has(key)).map(show), failed } };
      }
      const index = variables.findIndex(({ id }) => id === params["id"]);
      if (index === -1) return refused(404, "not_found");
      return { status: 200, json: variables.splice(index, 1).map(show)[0] };
    },
  });
  return { ...api, variables, put, reserved };
}

function show(held: HeldVariable): object {
  return { ...held, value: held.type === "sensitive" ? "" : "test-encrypted" };
}

function refused(status: number, code: string): ApiReply {
  return { status, json: { error: { code, message: "test" } } };
}
