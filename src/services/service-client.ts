import { createHttpClient, type HttpClientOptions, type HttpRequest } from "../net/http-client.ts";
import { isProviderFailure, ProviderFailure, type FailureClass } from "../net/provider-failure.ts";

/** A client for the API of a rotator's provider, whose failures say what to do. */
export function createServiceClient(rotator: string, options: HttpClientOptions) {
  const client = createHttpClient(options);
  return {
    async send(request: HttpRequest) {
      try {
        return await client.send(request);
      } catch (error) {
        if (!isProviderFailure(error) || error.hints.length > 0) throw error;
        const { class: failureClass, message, retryAfterMs, cause } = error;
        throw new ProviderFailure(failureClass, message, {
          hints: [hintFor(failureClass, rotator)],
          retryAfterMs,
          cause,
        });
      }
    },
  };
}

function hintFor(failureClass: FailureClass, rotator: string): string {
  switch (failureClass) {
    case "auth":
      return `docs/rotators/${rotator}.md has the rights that the administrator's credential needs`;
    case "rejected":
      return `compare the options of the rule with docs/rotators/${rotator}.md`;
    case "limit":
      return "remove what nothing uses";
    case "transient":
      return "nothing was changed; try again later";
    case "unknown":
      return "run it again: it looks at what is there before it changes anything";
  }
}
