import { startDescribedApi, type ApiReply, type DescribedApi } from "./described-api.ts";

interface HeldValue {
  readonly id: string;
  readonly context: string;
  readonly context_parameter?: string;
  value: string;
}

interface HeldVariable {
  readonly key: string;
  readonly scopes: readonly string[];
  readonly is_secret: boolean;
  readonly values: HeldValue[];
  updated_at: string;
}

export interface FakeNetlify extends DescribedApi {
  readonly site: string;
  readonly variables: HeldVariable[];
  /** As a person would on the web. */
  put(key: string, values: Readonly<Record<string, string>>, more?: { readonly is_secret?: boolean }): void;
}

/**
 * The variables of one site of the team `test-team`, by Netlify's published description. Of a
 * secret only the values of local development are shown, and each value needs a context.
 */
export async function startFakeNetlify(): Promise<FakeNetlify> {
  const site = "01234567-89ab-cdef-0123-456789abcdef";
  const variables: HeldVariable[] = [];
  let last = 0;
  let time = Date.UTC(2026, 0, 1);
  const now = () => new Date((time += 1000)).toISOString();
  const hold = (value: Omit<HeldValue, "id">): HeldValue => ({ ...value, id: `test-value-${++last}` });
  const put: FakeNetlify["put"] = (key, values, { is_secret = true } = {}) => {
    const held = Object.entries(values).map(([context, value]) => hold({ context, value }));
    variables.push({ key, scopes: ["builds", "functions", "runtime"], is_secret, values: held, updated_at: now() });
  };

  function create(
    sent: readonly (Omit<HeldVariable, "updated_at"> & { readonly scopes?: readonly string[] })[],
  ): ApiReply {
    if (sent.some(({ key }) => !/^[A-Za-z]\w*$/.test(key) || variables.some((it) => it.key === key)))
      return refused(422);
    const isAll = ({ values }: { readonly values: readonly HeldValue[] }) => values.some((it) => it.context === "all");
    if (sent.some((it) => it.is_secret && isAll(it))) return refused(422);
    for (const { key, is_secret, values, scopes = ["builds", "functions", "runtime"] } of sent) {
      variables.push({ key, is_secret, scopes, values: values.map(hold), updated_at: now() });
    }
    return { status: 201, json: variables.filter(({ key }) => sent.some((it) => it.key === key)).map(show) };
  }

  function patch(held: HeldVariable, sent: Omit<HeldValue, "id">): ApiReply {
    const isSame = (it: HeldValue) => it.context === sent.context && it.context_parameter === sent.context_parameter;
    const found = held.values.find(isSame);
    if (found === undefined) held.values.push(hold(sent));
    else found.value = sent.value;
    held.updated_at = now();
    return { status: 201, json: show(held) };
  }

  const api = await startDescribedApi({
    description: "netlify",
    base: "/api/v1",
    headers: { authorization: /^Bearer \S+$/ },
    answer({ operation, params, query, body, header }): ApiReply {
      if (header("authorization") !== "Bearer test-token") return refused(401);
      if (params["account_id"] !== "test-team" || query.get("site_id") !== site) return refused(404);
      if (operation === "GET /accounts/{account_id}/env") return { status: 200, json: variables.map(show) };
      if (operation.startsWith("POST")) return create(body as unknown as HeldVariable[]);
      const found = variables.find(({ key }) => key === params["key"]);
      if (found === undefined) return refused(404);
      if (operation.startsWith("GET")) return { status: 200, json: show(found) };
      if (operation.startsWith("PATCH")) return patch(found, body as unknown as HeldValue);
      if (operation.startsWith("PUT")) throw new Error("this replaces the values of all contexts");
      if (params["id"] === undefined) variables.splice(variables.indexOf(found), 1);
      else
        found.values.splice(
          found.values.findIndex(({ id }) => id === params["id"]),
          1,
        );
      return { status: 204 };
    },
  });
  return { ...api, site, variables, put };
}

function show(held: HeldVariable): object {
  const values = held.values.map((it) => (held.is_secret && it.context !== "dev" ? { ...it, value: "" } : it));
  return { ...held, values };
}

function refused(status: number): ApiReply {
  return { status, json: { code: status, message: "test" } };
}
