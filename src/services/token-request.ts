import { Secret } from "../secret/secret.ts";

/** Where a job of GitHub Actions asks for its identity tokens, and what it asks with. */
export interface TokenRequest {
  readonly url: string;
  readonly bearer: Secret;
  /** Told each token before anything is done with it, so that a log can hide it. */
  announce?(token: Secret): void;
}

const urlVariable = "ACTIONS_ID_TOKEN_REQUEST_URL";
const bearerVariable = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/**
 * Takes the two variables that a job with `id-token: write` has out of an environment, and gives what
 * they say; undefined when they are not there. Whoever has both can be the job at every service that
 * trusts it, so programs that are started with this environment are not to have them.
 */
export function takeTokenRequest(env: Record<string, string | undefined>): TokenRequest | undefined {
  const request = readTokenRequest(env);
  delete env[urlVariable];
  delete env[bearerVariable];
  return request;
}

/** The same for an environment that is somebody else's: a view of it, as it is at any time, without the two. */
export function hideTokenRequest(env: Environment): {
  readonly env: Environment;
  readonly tokenRequest: TokenRequest | undefined;
} {
  const isHidden = (name: string | symbol) => name === urlVariable || name === bearerVariable;
  const view = new Proxy(env, {
    get: (target, name) => (isHidden(name) ? undefined : (Reflect.get(target, name) as unknown)),
    has: (target, name) => !isHidden(name) && Reflect.has(target, name),
    ownKeys: (target) => Reflect.ownKeys(target).filter((name) => !isHidden(name)),
    getOwnPropertyDescriptor: (target, name) =>
      isHidden(name) ? undefined : Reflect.getOwnPropertyDescriptor(target, name),
  });
  return { env: view, tokenRequest: readTokenRequest(env) };
}

type Environment = Readonly<Record<string, string | undefined>>;

function readTokenRequest({ [urlVariable]: url = "", [bearerVariable]: bearer = "" }: Environment) {
  return url === "" || bearer === "" ? undefined : { url, bearer: Secret.text(bearer) };
}
