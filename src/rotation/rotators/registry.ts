import type { Secret } from "../../secret/secret.ts";
import type { ValueSources } from "../generators/generator.ts";
import { awsIamRotator } from "./aws-iam.ts";
import { azureAppSecretRotator } from "./azure-app-secret.ts";
import { cloudflareRotator } from "./cloudflare.ts";
import { execRotator } from "./exec.ts";
import { gcpServiceAccountRotator } from "./gcp-service-account.ts";
import { generateRotator } from "./generate.ts";
import { githubDeployKeyRotator } from "./github-deploy-key.ts";
import { httpRotator } from "./http.ts";
import { manualRotator } from "./manual.ts";
import { mysqlRotator } from "./mysql.ts";
import { openaiRotator } from "./openai.ts";
import { postgresRotator } from "./postgres.ts";
import type { Provider } from "./provider.ts";
import { rabbitmqRotator } from "./rabbitmq.ts";
import { redisRotator } from "./redis.ts";
import type { Rotator } from "./rotator.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import type { SecretReference } from "../../services/secret-reference.ts";
import { sendgridRotator } from "./sendgrid.ts";
import { twilioRotator } from "./twilio.ts";

/** Every rotator by the name that a rule gives. */
const rotators = {
  "aws-iam": awsIamRotator,
  "azure-app-secret": azureAppSecretRotator,
  cloudflare: cloudflareRotator,
  exec: execRotator,
  "gcp-service-account": gcpServiceAccountRotator,
  generate: generateRotator,
  "github-deploy-key": githubDeployKeyRotator,
  http: httpRotator,
  manual: manualRotator,
  mysql: mysqlRotator,
  openai: openaiRotator,
  postgres: postgresRotator,
  rabbitmq: rabbitmqRotator,
  redis: redisRotator,
  sendgrid: sendgridRotator,
  twilio: twilioRotator,
} as const satisfies Readonly<Record<string, Rotator<unknown>>>;

export type RotatorName = keyof typeof rotators;

/** What a rule wrote down for its rotator. */
export type WrittenOptions = Readonly<Record<string, unknown>>;

/** The names in {@link rotators}. */
export const rotatorNames = Object.keys(rotators) as RotatorName[];

/** What is wrong with the options of a rotator; undefined when nothing is. */
export function findOptionsProblem(name: RotatorName, written: WrittenOptions): string | undefined {
  const [issue] = rotators[name].options.safeParse(written).error?.issues ?? [];
  return issue?.code === "unrecognized_keys" ? `the rotator ${name} does not have that option` : issue?.message;
}

/** What makes new values as the checked options say; undefined when no program can. */
export function bindRotator(
  name: RotatorName,
  written: WrittenOptions,
): ((sources: ValueSources) => Promise<Secret>) | undefined {
  const rotator: Rotator<unknown> = rotators[name];
  const generate = rotator.generate?.bind(rotator);
  if (generate === undefined) return undefined;
  const options = rotator.options.parse(written);
  return async (sources) => await generate(options, sources);
}

/** A rotator of credentials at a provider, with the options of a rule. */
export interface BoundProvider {
  readonly parts: readonly [string, ...string[]];
  /** Parts that change with each rotation. */
  readonly changing: readonly string[];
  /** What ends before the new value can be deployed; undefined when old and new live side by side. */
  readonly outage: string | undefined;
  readonly references: readonly SecretReference[];
  /** How long a new credential may be refused before that is news, in milliseconds. */
  readonly propagationMs: number;
  /** Connects. Throws ProviderFailure. */
  open(access: ServiceAccess): Promise<Provider>;
}

/** True for a rotator that changes a credential at a provider. */
export function hasProvider(name: RotatorName): boolean {
  const rotator: Rotator<unknown> = rotators[name];
  return rotator.provider !== undefined;
}

/** True for a rule whose values are ours to choose, so that one can be given again. */
export function choosesValues(name: RotatorName, written: WrittenOptions): boolean {
  const { kind } = rotators[name] as Rotator<unknown>;
  return kind === "chosen" || (kind === "any" && written["kind"] === "chosen");
}

/** What changes a credential at its provider, as the checked options say; undefined for a rotator without one. */
export function bindProvider(name: RotatorName, written: WrittenOptions): BoundProvider | undefined {
  const rotator: Rotator<unknown> = rotators[name];
  const { provider } = rotator;
  if (provider === undefined) return undefined;
  const options = rotator.options.parse(written);
  return {
    parts: provider.parts,
    changing: provider.changing(options),
    outage: provider.outage(options),
    references: provider.references(options),
    propagationMs: provider.propagationMs(options),
    open: (access) => provider.open(options, access),
  };
}
