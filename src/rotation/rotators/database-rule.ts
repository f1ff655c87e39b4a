import { z } from "zod";
import { ProviderFailure } from "../../net/provider-failure.ts";
import {
  databaseHost,
  databaseUser,
  isThisMachine,
  readLoginUrl,
  usesTls,
  type Login,
} from "../../services/database-login.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { secretReference, type SecretReference } from "../../services/secret-reference.ts";
import { authorityReferences, trustedAuthority, type TrustedAuthority } from "../../services/trusted-authority.ts";
import { valueSpec } from "./value-spec.ts";

/** Options that all database servers have. */
export const databaseOptions = {
  host: databaseHost,
  /** One, or two that take turns. */
  users: z.array(databaseUser).min(1).max(2),
  /** `accept`, where one user has one password, which ends before the new one is deployed. */
  outage: z.literal("accept").exactOptional(),
  /** A URL with the administrator's name and password. */
  admin: secretReference.exactOptional(),
  admin_user: databaseUser.exactOptional(),
  admin_password: secretReference.exactOptional(),
  /** `off` on this machine only. */
  tls: z.enum(["verify", "off"]).exactOptional(),
  ca: trustedAuthority.exactOptional(),
  /** Ends the connections of a user when its password ends. */
  terminate_sessions: z.boolean().default(false),
  propagation_seconds: z.int().min(0).max(3600).default(0),
  password: valueSpec,
};

/** What {@link checkDatabaseRule} looks at. */
export interface DatabaseRule {
  readonly host: string;
  readonly port: number;
  readonly users: readonly string[];
  readonly outage?: "accept";
  readonly admin?: SecretReference;
  readonly admin_user?: string;
  readonly admin_password?: SecretReference;
  readonly tls?: "verify" | "off";
  readonly ca?: TrustedAuthority;
  readonly terminate_sessions: boolean;
  readonly propagation_seconds: number;
}

/** Adds an issue for each thing that does not go together. */
export function checkDatabaseRule(rule: DatabaseRule, context: z.core.$RefinementCtx): void {
  const issue = (message: string) => context.addIssue({ code: "custom", message });
  if (new Set(rule.users).size < rule.users.length) issue("the two users must differ");
  if (rule.outage !== undefined && rule.users.length > 1) issue("two users need no outage");
  const hasUrl = rule.admin !== undefined;
  const hasLogin = rule.admin_user !== undefined && rule.admin_password !== undefined;
  const hasAny = rule.admin_user !== undefined || rule.admin_password !== undefined;
  if (hasUrl ? hasAny : !hasLogin) issue("give admin, a reference to a URL, or admin_user and admin_password");
  if (rule.admin_user !== undefined && rule.users.includes(rule.admin_user)) issue(administratorAmongUsers);
  if (rule.tls === "off" && !isThisMachine(rule.host)) issue("tls can be off on this machine only");
  if (rule.ca !== undefined && !usesTls(rule)) issue("ca is of no use without tls: verify");
}

const administratorAmongUsers = "the administrator cannot be one of the users: a rotation would lock itself out";

/** What the rotators of database servers say of a rule in the same way. */
export const databaseTraits = {
  parts: ["password", "user"],
  changing: ({ users }: DatabaseRule) => (users.length > 1 ? ["password", "user"] : ["password"]),
  outage: ({ users, outage }: DatabaseRule) =>
    outage === undefined
      ? undefined
      : `${users[0] ?? "the user"} has one password: programs cannot log in from the change until they have the new one`,
  references: databaseReferences,
  propagationMs: ({ propagation_seconds: seconds }: DatabaseRule) => seconds * 1000,
} as const;

/** The references of a rule. */
function databaseReferences(rule: DatabaseRule): SecretReference[] {
  const own = [rule.admin, rule.admin_password].filter((reference) => reference !== undefined);
  return [...own, ...authorityReferences(rule.ca)];
}

/**
 * The administrator's login. Throws `auth` for a reference that does not hold one, or that is of
 * another server than the rule's: whoever may write that value must not get to choose who sees
 * the passwords. Nothing else of a URL is used.
 */
export function readAdministrator(rule: DatabaseRule, protocols: readonly string[], access: ServiceAccess): Login {
  const login =
    rule.admin === undefined
      ? readLogin(rule, access)
      : readLoginUrl(rule, "the administrator's", rule.admin, protocols, access);
  if (rule.users.includes(login.user)) throw new ProviderFailure("auth", administratorAmongUsers);
  return login;
}

function readLogin(rule: DatabaseRule, access: ServiceAccess): Login {
  const { admin_user: user, admin_password: reference } = rule;
  if (user === undefined || reference === undefined)
    throw new ProviderFailure("auth", "the rule names no administrator");
  return { user, password: access.read(reference) };
}
