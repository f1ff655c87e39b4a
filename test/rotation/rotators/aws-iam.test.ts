import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { awsIamRotator } from "../../../src/rotation/rotators/aws-iam.ts";
import type { MintedProvider } from "../../../src/rotation/rotators/provider.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { failureOf } from "../../support/provider-contract.ts";
import { providerAccess } from "../../support/provider-access.ts";

const admin = { id: "${env:ID}", secret: "${env:SECRET}" };
const fits = (changes: object) => awsIamRotator.options.safeParse({ user: "test", admin, ...changes }).success;

/** A provider whose Amazon answers every request so. */
async function openWith(status: number, text: string, headers: Record<string, string> = {}): Promise<MintedProvider> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(status, headers).end(text));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = awsIamRotator.options.parse({ user: "test", admin, iam_endpoint: url, sts_endpoint: url });
  const provider = await awsIamRotator.provider?.open(options, providerAccess({ ID: "AKIATEST", SECRET: "test" }));
  if (provider?.kind !== "minted") throw new Error("the rotator is not a minted one");
  return provider;
}

const refusal = (code: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>test-secret-words</Message></Error></ErrorResponse>`;

describe("the aws-iam rotator, without moto", () => {
  it.each([
    [409, "LimitExceeded", "limit"],
    [403, "AccessDenied", "auth"],
    [403, "SignatureDoesNotMatch", "auth"],
    [400, "Throttling", "transient"],
    [409, "EntityTemporarilyUnmodifiable", "transient"],
    [404, "NoSuchEntity", "rejected"],
    [400, "ValidationError", "rejected"],
    [403, "SomethingNew", "auth"],
    [503, "ServiceUnavailable", "transient"],
    [500, "ServiceFailure", "unknown"],
  ] as const)("classes %i %s", async (status, code, failure) => {
    const provider = await openWith(status, refusal(code));
    expect(await failureOf(provider.mint("0123456789abcdef"))).toBe(failure);
  });

  it("calls a mint that shows no key unknown, and repeats nothing of what Amazon said", async () => {
    const empty = await openWith(200, "<CreateAccessKeyResponse/>");
    expect(await failureOf(empty.mint("0123456789abcdef"))).toBe("unknown");
    const wordy = await openWith(400, refusal("test-secret-words"));
    const error: unknown = await wordy.mint("0123456789abcdef").catch((thrown: unknown) => thrown);
    expect(inspect(error, { depth: 10 })).toContain("an unknown code");
    expect(inspect(error, { depth: 10 })).not.toContain("secret-words");
  });

  it("calls a refused signature dead when the clocks agree, and unknown when they do not", async () => {
    const key = { id: "AKIATEST", parts: { secret_access_key: Secret.text("test") } };
    const now = await openWith(403, refusal("SignatureDoesNotMatch"));
    const late = await openWith(403, refusal("SignatureDoesNotMatch"), { date: "Thu, 01 Jan 2026 00:00:00 GMT" });
    const busy = await openWith(503, "");
    expect(await Promise.all([now, late, busy].map((it) => it.probe(key)))).toEqual(["dead", "unknown", "unknown"]);
  });

  it("takes no user and no address that is not one", () => {
    for (const user of ["", "a/b", "a b", "a&Action=DeleteUser", "a".repeat(65)]) expect(fits({ user })).toBe(false);
    for (const iam_endpoint of [
      "https://iam.example.com",
      "https://amazonaws.com.example",
      "http://iam.amazonaws.com",
    ]) {
      expect(fits({ iam_endpoint })).toBe(false);
    }
    expect(fits({ iam_endpoint: "https://iam.amazonaws.com", region: "us-gov-west-1" })).toBe(true);
    expect(fits({ admin: { id: "AKIATEST", secret: "test" } })).toBe(false);
  });
});
