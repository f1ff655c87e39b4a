import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { listMasks } from "../../src/action/masks.ts";
import { auditLogPath } from "../../src/audit/log.ts";
import { generateIdentity } from "../../src/crypto/identity.ts";
import { Secret } from "../../src/secret/secret.ts";
import { act } from "../support/act.ts";
import { maskLog, printForms, secretPieces } from "../support/job-log.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { makeThrowAway } from "../support/throw-away.ts";

const password = "test-password %0A::add-mask::x\r\nsecond line";
const login = `test-user:${password}`;
const port = "5432";
const url = `postgres://${login}@db.test:${port}/app`;

let repository: TestRepository;
beforeAll(async () => {
  repository = await createSealedRepository();
  for (const [scope, values] of [
    ["prod/db", { PASSWORD: password, PORT: port }],
    [
      "prod/api",
      {
        LOGIN: "test-user:${secret:prod/db/PASSWORD}",
        URL: "postgres://${secret:prod/api/LOGIN}@db.test:${secret:prod/db/PORT}/app",
        JUST_PORT: "${secret:prod/db/PORT}",
      },
    ],
  ] as const)
    await repository.ok(["import", scope, "--format", "json", "--yes"], { stdin: JSON.stringify(values) });
});

describe("a value with references", () => {
  it("is handed over by export with every part masked by itself, also one within another", async () => {
    const result = await act(repository, { command: "export", scopes: "prod/api", only: "URL" });
    expect([result.code, [...result.variables]]).toEqual([0, [["URL", url]]]);
    for (const part of [url, login, password]) {
      expect(result.masks).toEqual(expect.arrayContaining(listMasks(Secret.text(part))));
      const later = maskLog(printForms(part), result.masks);
      expect(secretPieces(part).filter((piece) => later.includes(piece))).toEqual([]);
    }
  });

  it("may have a part that is too short for a mask: that shows by itself, and the value does not", async () => {
    const result = await act(repository, { command: "export", scopes: "prod/api", only: "URL" });
    expect([result.code, result.annotations, result.masks.includes(port)]).toEqual([0, [], false]);
    expect(maskLog(`port ${port}\n${url}`, result.masks)).toBe(`port ${port}\n***\n***`);
  });

  it("is refused when it is itself too short for a mask", async () => {
    const inputs = { command: "export", scopes: "prod/api", only: "JUST_PORT" };
    expect((await act(repository, inputs)).annotations[0]?.message).toContain("JUST_PORT has fewer than 6 characters");
    const allowed = await act(repository, { ...inputs, "allow-unmasked": "JUST_PORT" });
    expect([allowed.masks, allowed.variables.get("JUST_PORT")]).toEqual([[], port]);
  });

  it("is in no output of run, and neither is a part of it; the later steps show none either", async () => {
    const run = `set +e
      tail="\${URL#postgres://}"; part="\${tail%@*}"; word="\${part#*:}"
      printf '%s\\n' "$URL" "<$part>" "<$word>"; printf '%s' "$word" | base64 -w0; echo`;
    const result = await act(repository, { command: "run", scopes: "prod/api", only: "URL", run });
    expect([result.code, result.masks.includes(password), result.masks.includes(login)]).toEqual([0, true, true]);
    const shown = result.log.split("\n").filter((line) => !line.startsWith("::"));
    expect(shown.slice(0, 4)).toEqual(["[masked]", "<[masked]>", "<[masked]>", "[masked]"]);
  });

  it("is read with its parts, each in the audit log", async () => {
    await act(repository, { command: "export", scopes: "prod/api", only: "URL" });
    const { events } = JSON.parse((await repository.ok(["audit", "--json"])).stdout) as {
      events: { operation: string; scope: string; name: string; outcome: string; request: string }[];
    };
    const exports = events.filter(({ operation }) => operation === "export");
    const last = exports.filter(({ request }) => request === exports.at(-1)?.request);
    expect(last.map(({ scope, name, outcome }) => `${scope}/${name} ${outcome}`)).toEqual([
      "prod/api/URL ok",
      "prod/api/LOGIN ok",
      "prod/db/PASSWORD ok",
      "prod/db/PORT ok",
    ]);
  });

  it("is not opened for a stranger, whose try is in the audit log", async () => {
    const { identity } = await generateIdentity("x25519");
    const env = { HOME: makeThrowAway("sealtree-stranger-"), SEALTREE_IDENTITY: identity };
    const clean = Object.fromEntries(Object.entries(repository.env).filter(([name]) => !name.startsWith("XDG_")));
    const place = { root: repository.root, env: clean };
    const result = await act(place, { command: "export", scopes: "prod/api" }, { env });
    expect([result.masks, result.variables.size, result.annotations[0]?.properties["title"]]).toEqual([
      [],
      0,
      "E_NO_ACCESS",
    ]);
    const log = readFileSync(auditLogPath(env), "utf8");
    expect(JSON.parse(log)).toMatchObject({ operation: "export", scope: "prod/api", outcome: "refused" });
  });
});
