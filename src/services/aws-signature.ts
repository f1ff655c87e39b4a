import type { AwsKeys } from "./aws-keys.ts";

/** A POST to the root of an endpoint of Amazon, which all its services of the query and JSON protocols take. */
export interface AwsRequest {
  /** That it is signed for, such as `iam`. */
  readonly service: string;
  readonly region: string;
  readonly endpoint: string;
  /** Signed, but for the content type, which Amazon does not ask for. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The headers of a request with its signature (Signature Version 4). */
export async function signAwsRequest(
  { service, region, endpoint, headers, body }: AwsRequest,
  keys: AwsKeys,
  now: Date,
): Promise<Record<string, string>> {
  const { AwsV4Signer } = await import("aws4fetch");
  const session = keys.session?.revealText();
  const signer = new AwsV4Signer({
    method: "POST",
    url: new URL(endpoint).toString(),
    headers: { ...headers },
    body,
    accessKeyId: keys.id,
    secretAccessKey: keys.secret.revealText() ?? "",
    ...(session === undefined ? {} : { sessionToken: session }),
    service,
    region,
    datetime: now.toISOString().replaceAll(/[-:]|\.\d{3}/g, ""),
  });
  return Object.fromEntries((await signer.sign()).headers.entries());
}
