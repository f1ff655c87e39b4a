import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { fakeAwsKeys } from "./aws-json.ts";
import type { FakeIdentity } from "./github-identity.ts";

export interface FakeSts {
  readonly url: string;
  readonly role: string;
  /** Session names of those who were let in. */
  readonly sessions: readonly string[];
  /** When the keys end; an hour from now without. */
  expires: () => Date;
  /** Answers the next request with this code. */
  refuseNext(status: number, code: string): void;
  stop(): Promise<void>;
}

const audience = "sts.amazonaws.com";
const subject = "repo:acme@1001/api@2002:environment:production";
/** "AssumeRoleWithWebIdentity" of the STS API reference, those that are required. */
const fields = ["Action", "Version", "RoleArn", "RoleSessionName", "WebIdentityToken"];

/**
 * AssumeRoleWithWebIdentity of Amazon's Security Token Service, for a role that trusts an issuer for one audience and
 * one subject. Takes no signature and no other field. Gives the keys of {@link fakeAwsKeys}.
 */
export async function startFakeSts(identity: FakeIdentity): Promise<FakeSts> {
  const sessions: string[] = [];
  let next: readonly [number, string] | undefined;

  function refuse(status: number, code: string): readonly [number, string] {
    const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>test</Message></Error>`;
    return [status, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${error}</ErrorResponse>`];
  }
  function answer({ method, url, headers }: IncomingMessage, body: string): readonly [number, string] {
    const form = new URLSearchParams(body);
    const isWhole = JSON.stringify([...form.keys()].toSorted()) === JSON.stringify(fields.toSorted());
    const isCall = method === "POST" && url === "/" && headers.authorization === undefined && isWhole;
    if (!isCall || form.get("Action") !== "AssumeRoleWithWebIdentity" || form.get("Version") !== "2011-06-15") {
      return refuse(400, "ValidationError");
    }
    if (next !== undefined) {
      const [status, code] = next;
      next = undefined;
      return refuse(status, code);
    }
    let said: Readonly<Record<string, unknown>>;
    try {
      said = identity.check(form.get("WebIdentityToken") ?? "", audience);
    } catch {
      return refuse(400, "InvalidIdentityToken");
    }
    if (form.get("RoleArn") !== fake.role || said["sub"] !== subject) return refuse(403, "AccessDenied");
    sessions.push(form.get("RoleSessionName") ?? "");
    const { id, secret, session } = { ...fakeAwsKeys, session: fakeSession };
    const held = `<SessionToken>${session}</SessionToken><SecretAccessKey>${secret}</SecretAccessKey><Expiration>${fake.expires().toISOString()}</Expiration><AccessKeyId>${id}</AccessKeyId>`;
    const result = `<AssumeRoleWithWebIdentityResult><Audience>${audience}</Audience><Credentials>${held}</Credentials></AssumeRoleWithWebIdentityResult>`;
    return [
      200,
      `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${result}</AssumeRoleWithWebIdentityResponse>`,
    ];
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const [status, xml] = answer(request, Buffer.concat(chunks).toString());
      response.writeHead(status, { "content-type": "text/xml" }).end(xml);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const fake: FakeSts = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    role: "arn:aws:iam::111122223333:role/ci/test-deploy",
    sessions,
    expires: () => new Date(Date.now() + 3_600_000),
    refuseNext: (status, code) => (next = [status, code]),
    async stop() {
      server.closeAllConnections();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
  return fake;
}

/** What Amazon gives is base64, of any length. */
export const fakeSession = "test+session/token==";
