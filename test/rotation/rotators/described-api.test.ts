import { describe, expect, it } from "vitest";
import { startDescribedApi, type ApiReply } from "../../support/fakes/described-api.ts";

const path = "/repos/test-owner/test-name/keys";
const headers = { "content-type": "application/json", authorization: "Bearer test" };

/** What a fake GitHub says of one request, when it answers with `reply`. */
async function violationsOf(method: string, at: string, body?: unknown, reply: ApiReply = { status: 500 }) {
  const api = await startDescribedApi({
    description: "github",
    headers: { authorization: /^Bearer test$/ },
    answer: () => reply,
  });
  try {
    const text = body === undefined ? null : JSON.stringify(body);
    await fetch(api.url + at, { method, body: text, headers });
  } finally {
    await api.stop().catch(() => undefined);
  }
  return api.violations;
}

describe("a described fake", () => {
  it("lets through what the description allows", async () => {
    expect(await violationsOf("POST", path, { title: "test", key: "test", read_only: true })).toEqual([]);
    expect(await violationsOf("GET", `${path}?per_page=100`)).toEqual([]);
  });

  it.each([
    ["another method", "PATCH", path, undefined],
    ["another path", "GET", "/repos/test-owner/test-name/key", undefined],
    ["a query that is not described", "GET", `${path}?size=3`, undefined],
    ["a query of another type", "GET", `${path}?per_page=ten`, undefined],
    ["a field that is missing", "POST", path, { title: "test" }],
    ["a field of another type", "POST", path, { key: "test", read_only: "yes" }],
    ["a field that is misspelt", "POST", path, { key: "test", readonly: true }],
    ["a body where there is none", "DELETE", `${path}/1`, { key: "test" }],
    ["no body where there is one", "POST", path, undefined],
  ])("refuses %s", async (_what, method, at, body) => {
    expect(await violationsOf(method, at, body)).toHaveLength(1);
  });

  it("refuses an answer of its own that the description does not have", async () => {
    expect(await violationsOf("GET", path, undefined, { status: 201, json: [] })).toHaveLength(1);
    expect(await violationsOf("GET", path, undefined, { status: 200, json: [{ id: "test" }] })).toHaveLength(1);
    expect(await violationsOf("GET", path, undefined, { status: 200, json: [] })).toEqual([]);
  });

  it("fails the test that stops it after a violation", async () => {
    const api = await startDescribedApi({ description: "github", answer: () => ({ status: 500 }) });
    await fetch(`${api.url}/nothing`);
    await expect(api.stop()).rejects.toThrow("GET /nothing: is no operation");
  });
});
