import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteSearch } from "../../src/review/byte-search.ts";
import { ContentSearch, maxHits, type SearchResult } from "../../src/review/content-search.ts";
import { tokenShapes } from "../../src/review/token-shapes.ts";
import { collectWanted, type OwnValue } from "../../src/review/wanted-values.ts";
import { Secret } from "../../src/secret/secret.ts";

const address = "dev/app/API_KEY";

function own(value: string | Uint8Array, more: Partial<OwnValue> = {}): OwnValue {
  return { address, secret: Secret.fromBytes(Buffer.from(value as string)), isEarlier: false, ...more };
}

function searchFor(values: readonly OwnValue[]): ContentSearch {
  return new ContentSearch(collectWanted(values).needles, tokenShapes);
}

function searchIn(content: ContentSearch, pieces: readonly Uint8Array[], sliceBytes?: number): SearchResult {
  const text = content.open(sliceBytes);
  for (const piece of pieces) text.push(piece);
  return text.end();
}

/** `line:column what` of every hit. */
function find(values: readonly OwnValue[], text: string | Buffer): string[] {
  return searchIn(searchFor(values), [Buffer.from(text as string)]).hits.map(
    ({ line, column, found }) =>
      `${line}:${column} ${found.kind === "token" ? found.shape.name : `${found.needle.addresses.join("+")} ${found.needle.encoding}`}`,
  );
}

/** Letters and digits that look random and are the same each time. */
function letters(count: number, alphabet = "aB3dE5fG7hI9jK1lM2nO4pQ6rS8tU0vWxYz"): string {
  return Array.from({ length: count }, (_, index) => alphabet[(index * 7 + (index >> 3)) % alphabet.length]).join("");
}

describe("ByteSearch", () => {
  it("finds what a plain search finds, whatever the patterns and the text", () => {
    const bytes = (minLength: number, maxLength: number) =>
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength, maxLength }).map((list) => Uint8Array.from(list));
    fc.assert(
      fc.property(fc.array(bytes(3, 12), { minLength: 1, maxLength: 6 }), bytes(0, 200), (patterns, text) => {
        const expected = patterns.flatMap((pattern, index) => {
          const found: string[] = [];
          for (let at = Buffer.from(text).indexOf(pattern); at >= 0; at = Buffer.from(text).indexOf(pattern, at + 1))
            found.push(`${index}@${at}`);
          return found;
        });
        const found = new ByteSearch(patterns).search(text).map(({ pattern, start }) => `${pattern}@${start}`);
        expect(found.toSorted()).toEqual(expected.toSorted());
      }),
    );
  });

  it("finds nothing without patterns, and patterns of very different lengths", () => {
    expect(new ByteSearch([]).search(Buffer.from("anything"))).toEqual([]);
    const long = Buffer.from(letters(5000));
    const text = Buffer.concat([Buffer.alloc(999), long, Buffer.from("short-one")]);
    expect(new ByteSearch([long, Buffer.from("short-one")]).search(text)).toEqual([
      { pattern: 0, start: 999 },
      { pattern: 1, start: 5999 },
    ]);
  });
});

describe("a search for own values", () => {
  const value = 'test-value é "7Hk29/+dkQ"&';
  const bytes = Buffer.from(value);
  const writings: readonly (readonly [string, string | Buffer])[] = [
    ["plain", value],
    ["JSON", JSON.stringify({ a: value })],
    ["URL", encodeURIComponent(value)],
    ["URL", new URLSearchParams({ a: value }).toString()],
    ["base64", bytes.toString("base64")],
    ["base64", bytes.toString("base64url")],
    ["base64", Buffer.from(`user:${value}`).toString("base64")],
    ["base64", Buffer.from(`a ${value} b`).toString("base64url")],
    ["hex", bytes.toString("hex")],
    ["hex", bytes.toString("hex").toUpperCase()],
    ["UTF-16", Buffer.from(`\ufeffa ${value}\r\n`, "utf16le")],
  ];

  it.each(writings)("finds one that is written as %s: %j", (encoding, text) => {
    expect(find([own(value)], text)).toEqual([expect.stringMatching(new RegExp(`^1:[0-9]+ ${address} ${encoding}$`))]);
  });

  it("is not misled by how the text is cut", () => {
    const hidden = letters(40);
    const content = searchFor([own(hidden)]);
    const token = ["gh", "p_", letters(36)].join("");
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(40_000),
        fc.constantFrom(hidden, ` ${token} `, Buffer.from(hidden).toString("base64"), `${hidden} // sealtree:allow`),
        fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 5 }),
        (noise, offset, inserted, cuts) => {
          const filler = Buffer.alloc(offset, Buffer.concat([noise, Buffer.from("filler\n")]));
          const text = Buffer.concat([filler, Buffer.from(`\n${inserted}\n`), filler.subarray(0, 20_000)]);
          const pieces: Buffer[] = [];
          for (let at = 0, index = 0; at < text.length; index += 1) {
            const size = cuts[index % cuts.length] ?? 1;
            pieces.push(text.subarray(at, at + size));
            at += size;
          }
          const whole = searchIn(content, [text]);
          expect(whole.hits.length + whole.allowed).toBe(1);
          expect(searchIn(content, pieces, 1)).toEqual(whole);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("counts lines and columns as an editor does", () => {
    const text = `first\r\né😀 = test-value-7Hk29dkQ\nlast test-value-7Hk29dkQ`;
    expect(find([own("test-value-7Hk29dkQ")], text)).toEqual([`2:7 ${address} plain`, `3:6 ${address} plain`]);
  });

  it("finds a text of several lines with either line end, in one piece, indented or escaped, once", () => {
    const lines = ["-----BEGIN TEST-----", letters(64), letters(64, "zY9xW8vU7tS6rQ5pO4"), "-----END TEST-----"];
    const value = `${lines.join("\n")}\n`;
    expect(find([own(value)], `a\n${lines.join("\r\n")}\r\n`)).toEqual([`2:1 ${address} plain`]);
    expect(find([own(value)], `key: |\n  ${lines.join("\n  ")}\n`)).toEqual([`3:3 ${address} line`]);
    expect(find([own(value)], JSON.stringify({ value }))).toEqual([`1:11 ${address} JSON`]);
    expect(find([own(value)], "-----BEGIN TEST-----\nother\n-----END TEST-----\n")).toEqual([]);
  });

  it("finds binary values in binary files", () => {
    const value = Uint8Array.from({ length: 40 }, (_, index) => (index * 73) % 256);
    expect(find([own(value)], Buffer.concat([Buffer.alloc(100, 255), value]))).toHaveLength(1);
    expect(find([own(value)], Buffer.from(value).toString("base64"))).toEqual([`1:1 ${address} base64`]);
  });

  it("names every address that has the value, and one that has it now before one that had it", () => {
    const now = own("test-value-7Hk29dkQ", { address: "prod/api/A" });
    const copy = own("test-value-7Hk29dkQ", { address: "dev/app/B" });
    const before = own("test-value-7Hk29dkQ", { address: "old/app/C", isEarlier: true });
    expect(find([now, copy, before], "test-value-7Hk29dkQ")).toEqual(["1:1 dev/app/B+prod/api/A plain"]);
    expect(collectWanted([before]).needles.every(({ isEarlier }) => isEarlier)).toBe(true);
  });

  it("passes over values with references, whose secrets are looked for by themselves", () => {
    const values = [own("postgres://app:${secret:prod/db/PASSWORD}@db/app"), own("$${secret:not/A_REFERENCE}")];
    expect(collectWanted(values)).toMatchObject({ searched: 1, passedOver: 1 });
  });

  it("passes over short and common values, and says how many", () => {
    const values = [
      "short",
      "true",
      "LOCALHOST",
      " production\n",
      "us-east-1",
      "aaaaaaaaaaaa",
      "",
      "test-value-7Hk29dkQ",
    ];
    expect(collectWanted(values.map((value) => own(value)))).toMatchObject({ searched: 1, passedOver: 7 });
    expect(collectWanted([own("abcd1")], 4)).toMatchObject({ searched: 1, passedOver: 0 });
  });

  it("lets the line say that it is meant", () => {
    const text = "test-value-7Hk29dkQ # sealtree:allow\ntest-value-7Hk29dkQ\nsealtree:allow\n";
    const result = searchIn(searchFor([own("test-value-7Hk29dkQ")]), [Buffer.from(text)]);
    expect(result).toMatchObject({ hits: [{ line: 2 }], allowed: 1 });
  });

  it("lists a thousand places of a file, and counts the others", () => {
    const text = Buffer.from("test-value-7Hk29dkQ\n".repeat(maxHits + 5));
    const { hits, more } = searchIn(searchFor([own("test-value-7Hk29dkQ")]), [text]);
    expect([hits.length, more]).toEqual([maxHits, 5]);
  });

  it("calls a token that is sealed here by its address", () => {
    const token = ["sk", "_live_", letters(40)].join("");
    expect(find([own(token)], `key=${token}`)).toEqual([`1:5 ${address} plain`]);
    expect(find([], `key=${token}`)).toEqual(["1:5 stripe-key"]);
  });
});

describe("the shapes of tokens", () => {
  const hex = (count: number) => letters(count, "0a1b2c3d4e5f6789");
  const capitals = (count: number) => letters(count, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
  const body = `${letters(64)}\n${letters(64)}`;
  /** Made of parts, so that no other scanner takes this file for a leak. */
  const samples: Readonly<Record<string, readonly string[]>> = {
    "age-secret-key": [
      `${"AGE-SECRET"}-KEY-1${letters(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")}`,
      `${"AGE-PLUGIN"}-TEST-1${letters(30, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")}`,
    ],
    "private-key": [
      `${"-----BEGIN"} PRIVATE KEY-----\n${body}`,
      `${"-----BEGIN"} OPENSSH PRIVATE KEY-----\\n${body}`,
      `${"-----BEGIN"} RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\nDEK-Info: AES-128-CBC,00\r\n\r\n${body}`,
    ],
    jwt: [`${"ey"}J${letters(20)}.${"ey"}J${letters(30)}.${letters(43)}`],
    "aws-access-key": [`${"AK"}IA${capitals(16)}`, `${"AS"}IA${capitals(16)}`],
    "azure-storage-key": [`Account${"Key="}${letters(86)}==`],
    "anthropic-key": [`sk-${"ant-"}api03-${letters(93)}AA`],
    "databricks-token": [`da${"pi"}${hex(32)}`],
    "digitalocean-token": [`dop${"_v1_"}${hex(64)}`],
    "docker-token": [`dckr${"_pat_"}${letters(27)}`],
    "github-token": [`gh${"p_"}${letters(36)}`, `gh${"s_"}${letters(36)}`],
    "github-fine-grained-token": [`github${"_pat_"}${letters(22)}_${letters(59)}`],
    "gitlab-token": [`gl${"pat-"}${letters(20)}`],
    "google-api-key": [`AI${"za"}${letters(35)}`],
    "google-oauth-secret": [`GOC${"SPX-"}${letters(28)}`],
    "grafana-token": [`gl${"sa_"}${letters(32)}_${hex(8)}`],
    "huggingface-token": [`h${"f_"}${letters(34, "aBcDeFgHiJkLmNoPqRsTuVwXyZ")}`],
    "linear-key": [`lin${"_api_"}${letters(40)}`],
    "npm-token": [`np${"m_"}${letters(36)}`],
    "openai-key": [`s${"k-"}proj-${letters(60)}T3Blbk${"FJ"}${letters(60)}`],
    "pypi-token": [`py${"pi-"}AgEI${letters(100)}`],
    "sendgrid-key": [`S${"G."}${letters(22)}.${letters(43)}`],
    "shopify-token": [`sh${"pat_"}${hex(32)}`],
    "slack-token": [
      `xo${"xb-"}123456789012-1234567890123-${letters(24)}`,
      `xa${"pp-"}1-A0123456789-1234567890123-${hex(64)}`,
    ],
    "slack-webhook": [`https://hooks.slack${".com"}/services/T01234567/B01234567/${letters(24)}`],
    "stripe-key": [`sk${"_live_"}${letters(24)}`, `rk${"_live_"}${letters(99)}`],
    "stripe-webhook-secret": [`wh${"sec_"}${letters(32)}`],
    "twilio-key": [`S${"K"}${hex(32)}`],
    "vault-token": [`hv${"s."}${letters(90)}`],
  };
  const namesIn = (text: string) => find([], text).map((hit) => hit.split(" ")[1]);

  it("have samples here, each found by its own shape and no other", () => {
    expect(Object.keys(samples).toSorted()).toEqual(tokenShapes.map(({ name }) => name).toSorted());
    const found = Object.entries(samples).map(([name, texts]) => [
      name,
      texts.map((text) =>
        [text, `a = "${text}"\n`, `TOKEN=${text};`, `x\\n${text}\\n`].map((around) => namesIn(around)),
      ),
    ]);
    const expected = Object.entries(samples).map(([name, texts]) => [name, texts.map(() => Array(4).fill([name]))]);
    expect(found).toEqual(expected);
  });

  it("do not fit in the middle of a word, cut off, or an example", () => {
    const texts = Object.values(samples).flat();
    const words = texts.filter((text) => !text.startsWith("-") && !text.startsWith("https"));
    const examples = [`${"AK"}IAIOSFODNN7EXAMPLE`, `gh${"p_"}${"x".repeat(36)}`, `sk${"_test_"}${letters(24)}`];
    const placeholder = "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----";
    const wrong = [
      ...words.map((text) => `x${text}`),
      ...texts.map((text) => text.slice(0, 16)),
      ...examples,
      placeholder,
    ].filter((text) => namesIn(text).length > 0);
    expect(wrong).toEqual([]);
  });

  it("are all in docs/scan.md, in this order", () => {
    const page = readFileSync(new URL("../../docs/scan.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (.+) \| (.+) \|$/gm)].map(([, name, , where]) => [name, where]);
    expect(rows).toEqual(tokenShapes.map(({ name, documentedAt }) => [name, documentedAt]));
  });

  it("take no long time over a text that is made to take long", () => {
    const texts = ["sk-", "-eyJ", ".eyJaaaaaaaaaaaa", `${"-----BEGIN"} PRIVATE KEY-----\n`, "AGE-PLUGIN-A-1", "SK0a"];
    for (const text of texts) expect(find([own(letters(20))], text.repeat(20_000))).toEqual([]);
  });

  it("say where they are documented, and are looked for by beginnings of three bytes or more", () => {
    const odd = tokenShapes.filter(
      ({ starts, pattern, documentedAt }) =>
        documentedAt === "" || pattern.flags !== "y" || starts.some((start) => start.length < 3),
    );
    expect(odd).toEqual([]);
  });
});
