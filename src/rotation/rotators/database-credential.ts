import { ProviderFailure } from "../../net/provider-failure.ts";
import { Secret } from "../../secret/secret.ts";
import type { ValueSources } from "../generators/generator.ts";
import { generateValue, type GeneratorSpec } from "../generator-spec.ts";
import type { DatabaseRule } from "./database-rule.ts";
import type { Login } from "../../services/database-login.ts";
import type { Credential } from "./provider.ts";
import type { Liveness } from "../../services/liveness.ts";
import { digestValue } from "./value-digest.ts";

/** The users of a rule and where they are. */
type Users = Pick<DatabaseRule, "host" | "port" | "users">;

/**
 * The credential of a database user. Its id is the name of the user where two take turns; where
 * one user has them all, a digest of the password tells them apart.
 */
async function databaseCredential(rule: Users, { user, password }: Login): Promise<Credential> {
  const parts = { password, user: Secret.text(user) };
  if (rule.users.length > 1) return { id: user, parts };
  return { id: `${user}:${await digestValue([rule.host, String(rule.port), user], password)}`, parts };
}

/** A new password of printable ASCII, which SASLprep (RFC 4013) and every character set leave as it is. */
export async function choosePassword(spec: GeneratorSpec, sources: ValueSources): Promise<Secret> {
  const password = await generateValue(spec, sources);
  if (isPassword(password)) return password;
  throw new ProviderFailure("rejected", "what the rule makes is no password: one has printable ASCII alone", {
    hints: ["leave password out of the rule, or make it {kind: password, length: 40}"],
  });
}

/** The password of an earlier credential. Throws `rejected` for a value that was never one. */
export function recallPassword({ password }: Readonly<Record<string, Secret>>): Secret {
  if (password !== undefined && isPassword(password)) return password;
  throw new ProviderFailure("rejected", "that value is no password: one has printable ASCII alone");
}

function isPassword(value: Secret): boolean {
  const bytes = value.reveal();
  return bytes.length > 0 && bytes.every((byte) => byte > 0x20 && byte < 0x7f);
}

/**
 * The credential that `parts` are. Without a user among them and with two in the rule, it is that
 * of the user whom the server lets in with this password. Undefined when there is none.
 */
export async function identifyLogin(
  rule: Users,
  parts: Readonly<Record<string, Secret>>,
  exists: (user: string) => Promise<boolean>,
  probe: (login: Login) => Promise<Liveness>,
): Promise<Credential | undefined> {
  const { users } = rule;
  const { password } = parts;
  if (password === undefined) return undefined;
  const named = parts["user"]?.revealText();
  if (named !== undefined || users.length === 1) {
    const user = named ?? users[0] ?? "";
    return users.includes(user) && (await exists(user))
      ? await databaseCredential(rule, { user, password })
      : undefined;
  }
  const answers = await Promise.all(users.map(async (user) => ({ user, answer: await probe({ user, password }) })));
  const live = answers.find(({ answer }) => answer === "live");
  if (live !== undefined) return await databaseCredential(rule, { user: live.user, password });
  if (answers.every(({ answer }) => answer === "dead")) return undefined;
  throw new ProviderFailure("transient", "the server could not be asked whose password the present value is");
}

/** A new credential of the user whose turn it is. */
export async function chooseLogin(
  rule: Users & { readonly password: GeneratorSpec },
  current: Credential | undefined,
  sources: ValueSources,
): Promise<Credential> {
  const password = await choosePassword(rule.password, sources);
  return await databaseCredential(rule, { user: nextUser(rule.users, current), password });
}

/** The password of an earlier credential, for the user whose turn it is. */
export async function recallLogin(
  rule: Users,
  earlier: Readonly<Record<string, Secret>>,
  current: Credential | undefined,
): Promise<Credential> {
  return await databaseCredential(rule, { user: nextUser(rule.users, current), password: recallPassword(earlier) });
}

/** Whether a credential is let in; `unknown` when its password is missing. */
export async function probeCredential(
  users: readonly string[],
  credential: Credential,
  probe: (login: Login) => Promise<Liveness>,
): Promise<Liveness> {
  const login = loginOf(users, credential);
  return login === undefined ? "unknown" : await probe(login);
}

/**
 * True for a login that nobody is let in with: its user has another password by now, is in use
 * again, and is not to be touched. Throws `transient` when the server cannot be asked.
 */
export async function isEnded(login: Login, probe: (login: Login) => Promise<Liveness>): Promise<boolean> {
  const liveness = await probe(login);
  if (liveness !== "unknown") return liveness === "dead";
  throw new ProviderFailure("transient", `the server could not be asked whether the password of ${login.user} is live`);
}

/** The user whose turn it is: the other one. Where nothing is known of the present, the last. */
export function nextUser(users: readonly string[], current: Credential | undefined): string {
  const present = current === undefined ? undefined : current.parts["user"]?.revealText();
  const user = users.findLast((candidate) => candidate !== present) ?? users[0];
  if (user === undefined) throw new Error("a rule without users");
  return user;
}

/** The login that a credential is; undefined when its password is missing. Throws `rejected` for a user of no rule. */
export function loginOf(users: readonly string[], credential: Credential): Login | undefined {
  const user = credential.parts["user"]?.revealText() ?? credential.id.split(":")[0] ?? "";
  if (!users.includes(user)) {
    throw new ProviderFailure("rejected", "the credential is of a user that the rule does not name", {
      hints: ["users of the rule must be those of the rotation in flight"],
    });
  }
  const { password } = credential.parts;
  return password === undefined ? undefined : { user, password };
}

/** The same, for a call that cannot do without. */
export function requireLogin(users: readonly string[], credential: Credential): Login {
  const login = loginOf(users, credential);
  if (login !== undefined) return login;
  throw new ProviderFailure("rejected", "the password of the credential is missing");
}
