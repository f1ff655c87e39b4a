import { startDescribedApi, type ApiReply, type DescribedApi } from "./described-api.ts";

interface HeldKey {
  readonly sid: string;
  readonly secret: string;
  readonly friendly_name: string;
}

export interface FakeTwilio extends DescribedApi {
  readonly account: string;
  readonly keys: HeldKey[];
  /** As a person would in the console. */
  addKey(name: string): HeldKey;
}

/** The keys of an account, by the published OpenAPI description. A key is shown once, and may not see keys. */
export async function startFakeTwilio(): Promise<FakeTwilio> {
  const account = `AC${"0".repeat(31)}1`;
  const keys: HeldKey[] = [];
  let made = 0;
  const addKey = (friendly_name: string): HeldKey => {
    const count = String(++made);
    const key = { sid: `SK${count.padStart(32, "0")}`, secret: `test-key-secret-${count}`, friendly_name };
    keys.push(key);
    return key;
  };
  const dates = { date_created: "Mon, 13 Jun 2026 22:50:08 +0000", date_updated: "Mon, 13 Jun 2026 22:50:08 +0000" };
  const base = `/2010-04-01/Accounts/${account}`;
  const api = await startDescribedApi({
    description: "twilio",
    headers: { authorization: /^Basic \S+$/ },
    answer({ operation, params, query, body, header }): ApiReply {
      const [name = "", secret = ""] = Buffer.from(header("authorization")?.slice(6) ?? "", "base64")
        .toString()
        .split(":");
      const isAdmin = name === account && secret === "test-auth-token";
      const isKey = keys.some((it) => it.sid === name && it.secret === secret);
      if (!isAdmin && !isKey) return refused(401, 20_003);
      if (params["AccountSid"] !== account) return refused(404, 20_404);
      const page = (list: object) => ({
        page: 0,
        page_size: 50,
        next_page_uri: null,
        previous_page_uri: null,
        ...list,
      });
      if (operation.endsWith("/AvailablePhoneNumbers.json")) return { status: 200, json: page({ countries: [] }) };
      if (!isAdmin) return refused(401, 20_003);
      if (operation.startsWith("POST")) {
        const key = addKey(String(body["FriendlyName"]));
        return key.friendly_name.length > 64 ? refused(400, 20_001) : { status: 201, json: { ...key, ...dates } };
      }
      if (operation.startsWith("DELETE")) {
        const index = keys.findIndex(({ sid }) => sid === params["Sid"]);
        if (index === -1) return refused(404, 20_404);
        keys.splice(index, 1);
        return { status: 204 };
      }
      // Pages of three, whatever is asked for.
      const start = Number(query.get("Page") ?? 0) * 3;
      const shown = keys.slice(start, start + 3).map(({ sid, friendly_name }) => ({ sid, friendly_name, ...dates }));
      const next =
        start + 3 < keys.length ? `${base}/Keys.json?PageSize=1000&Page=${start / 3 + 1}&PageToken=PTtest` : null;
      return { status: 200, json: page({ keys: shown, next_page_uri: next }) };
    },
  });
  return { ...api, account, keys, addKey };
}

function refused(status: number, code: number): ApiReply {
  return { status, json: { code, message: "test", more_info: "", status } };
}
