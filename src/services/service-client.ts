import { createHttpClient, type HttpClientOptions, type HttpRequest } from "../net/http-client.ts";
import { isProviderFailure, ProviderFailure, type FailureClass } from "../net/provider-failure.ts";

/** A client for the API of a rotator's provider, whose failures say what to do. */
export function createServiceClient(rotator: string, options: HttpClientOptions) {
  const page = `docs/rotators/${rotator}.md`;
  return createHintingClient(options, {
    auth: `${page} has the rights that the administrator's credential needs`,
    rejected: `compare the options of the rule with ${page}`,
  });
}

/** The same for a kind of target. */
export function createTargetClient(kind: string, options: HttpClientOptions) {
  const page = `docs/targets/${kind}.md`;
  return createHintingClient(options, {
    auth: `${page} has the rights that the credential of the target needs`,
    rejected: `compare the target in policies/deploy.yaml with ${page}`,
  });
}

/** What to do where it depends on whose client it is. */
type OwnHints = Readonly<Record<"auth" | "rejected", string>>;

function createHintingClient(options: HttpClientOptions, own: OwnHints) {
  const client = createHttpClient(options);
  return {
    async send(request: HttpRequest) {
      try {
        return await client.send(request);
      } catch (error) {
        if (!isProviderFailure(error) || error.hints.length > 0) throw error;
        const { class: failureClass, message, retryAfterMs, cause } = error;
        throw new ProviderFailure(failureClass, message, {
          hints: [hintFor(failureClass, own)],
          retryAfterMs,
          cause,
        });
      }
    },
  };
}

function hintFor(failureClass: FailureClass, own: OwnHints): string {
  switch (failureClass) {
    case "auth":
    case "rejected":
      return own[failureClass];
    case "limit":
      return "remove what nothing uses";
    case "transient":
      return "nothing was changed; try again later";
    case "unknown":
      return "run it again: it looks at what is there before it changes anything";
  }
}
