import { isProviderFailure, ProviderFailure, type FailureClass } from "../../../src/net/provider-failure.ts";
import type { Rule } from "../../../src/rotation/policy.ts";
import type { Credential, Provider } from "../../../src/rotation/rotators/provider.ts";
import type { BoundProvider } from "../../../src/rotation/rotators/registry.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { ModelProvider, type ModelKind } from "./model-provider.ts";

/** A call to a model in another process. */
export interface ModelRequest {
  readonly call: string;
  readonly args: readonly unknown[];
}

export type ModelReply =
  | { readonly result: unknown }
  | { readonly failure: { readonly class: FailureClass; readonly message: string } };

type Text = Readonly<Record<string, string>>;

/** Answers a request of {@link remoteModel} at the model itself. Throws what is no failure of a provider. */
export async function answerModel(provider: ModelProvider, rule: Rule, request: ModelRequest): Promise<ModelReply> {
  const open: Provider = await provider.bind(rule).open({} as never);
  const call = Reflect.get(open, request.call) as (...args: unknown[]) => Promise<unknown>;
  try {
    return { result: toPlain(await call(...request.args.map(fromPlain))) };
  } catch (error) {
    if (!isProviderFailure(error)) throw error;
    return { failure: { class: error.class, message: error.message } };
  }
}

/** The provider of a model that is asked through `send`. */
export function remoteModel(kind: ModelKind, send: (request: ModelRequest) => Promise<ModelReply>) {
  const ask = async (call: string, ...args: unknown[]): Promise<unknown> => {
    const reply = await send({ call, args: args.map(toPlain) });
    if ("failure" in reply) throw new ProviderFailure(reply.failure.class, reply.failure.message);
    return fromPlain(reply.result);
  };
  const calls = [
    "preflight",
    "identify",
    "probe",
    "revoke",
    "suspend",
    "choose",
    "apply",
    "inventory",
    "mint",
    "isTagged",
    "roll",
  ];
  return (rule: Rule): BoundProvider => {
    const bound = new ModelProvider(kind).bind(rule);
    return {
      ...bound,
      async open(access) {
        const own: Provider = await bound.open(access);
        const asked = calls.filter((call) => Reflect.has(own, call));
        return {
          ...own,
          ...Object.fromEntries(asked.map((call) => [call, (...args: unknown[]) => ask(call, ...args)])),
        };
      },
    };
  };
}

/** Credentials and their parts as text, in test values only. */
function toPlain(value: unknown): unknown {
  if (value instanceof Secret) return { secret: value.revealText() ?? "" };
  if (Array.isArray(value) || value instanceof Date || typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toPlain(item)]));
}

function fromPlain(value: unknown): unknown {
  if (Array.isArray(value) || value instanceof Date || typeof value !== "object" || value === null) return value;
  const { secret } = value as Partial<Text>;
  if (typeof secret === "string") return Secret.text(secret);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, fromPlain(item)]),
  ) as unknown as Credential;
}
