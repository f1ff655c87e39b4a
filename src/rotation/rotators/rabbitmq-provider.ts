import { z } from "zod";
import { createHttpClient, type HttpAnswer } from "../../net/http-client.ts";
import { ProviderFailure } from "../../net/provider-failure.ts";
import {
  chooseLogin,
  identifyLogin,
  nextUser,
  probeCredential,
  recallLogin,
  requireLogin,
} from "./database-credential.ts";
import type { Login } from "../../services/database-login.ts";
import type { ChosenProvider } from "./provider.ts";
import type { Liveness } from "../../services/liveness.ts";
import { hashPassword, isHashOf } from "./rabbitmq-password.ts";
import { copyPermissions, findUser, putUser, type RabbitmqApi } from "./rabbitmq-users.ts";
import type { RabbitmqOptions } from "./rabbitmq.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { askLiveness, readAnswer } from "../../services/service-answer.ts";
import { printBasic } from "../../services/service-authorization.ts";
import { readAuthority } from "../../services/trusted-authority.ts";

const whoami = { method: "GET", path: ["api", "whoami"] } as const;
const noPassword = { password_hash: "", hashing_algorithm: "rabbit_password_hashing_sha256" } as const;

/** Connects to nothing yet: each call is a request of its own. */
export function openRabbitmq(checked: RabbitmqOptions, access: ServiceAccess): ChosenProvider {
  const { users } = checked;
  const ca = readAuthority(checked.ca, access);
  const apiFor = ({ user, password }: Login): RabbitmqApi =>
    createHttpClient({
      baseUrl: checked.url,
      timeoutMs: access.timeoutMs,
      ca,
      headers: { authorization: printBasic(user, password) },
    });
  const admin = apiFor({ user: checked.admin_user, password: access.read(checked.admin_password) });
  const { hostname, port } = new URL(checked.url);
  const rule = { host: hostname, port: Number(port), users, password: checked.password };
  const probe = async (login: Login): Promise<Liveness> =>
    await askLiveness(async () => readLiveness(await apiFor(login).send({ ...whoami, expect: [200, 401] })));

  return {
    kind: "chosen",
    async preflight(current) {
      await requireAdministrator(admin);
      return await remarkOn(admin, users, nextUser(users, current));
    },
    identify: async (parts) =>
      await identifyLogin(rule, parts, async (user) => (await findUser(admin, user)) !== undefined, probe),
    choose: async (current) => await chooseLogin(rule, current, access),
    recall: async (earlier, current) => await recallLogin(rule, earlier, current),
    async apply(next) {
      const { user, password } = requireLogin(users, next);
      const other = users.find((each) => each !== user);
      const [own, model] = await Promise.all([
        findUser(admin, user),
        other === undefined ? undefined : findUser(admin, other),
      ]);
      const tags = (model ?? own)?.tags;
      if (tags === undefined) throw noSuchUser(users);
      // The password comes last: whoever is let in has the rights already.
      if (own === undefined) await putUser(admin, user, noPassword, tags);
      if (model !== undefined) await copyPermissions(admin, model.name, user);
      const isSet = own !== undefined && isHashOf(own, password) === true && String(own.tags) === String(tags);
      if (!isSet) {
        await putUser(admin, user, hashPassword(password, own?.hashing_algorithm, access.random), tags);
      }
    },
    probe: async (credential) => await probeCredential(users, credential, probe),
    async revoke(credential) {
      const { user, password } = requireLogin(users, credential);
      const own = await findUser(admin, user);
      // Another password than this one is not ours to end.
      if (own === undefined || isHashOf(own, password) === false) return;
      await putUser(admin, user, noPassword, own.tags);
    },
    close: () => Promise.resolve(),
  };
}

async function requireAdministrator(admin: RabbitmqApi): Promise<void> {
  const { tags } = readAnswer(
    z.object({ tags: z.union([z.array(z.string()), z.string().transform((text) => text.split(","))]) }),
    await admin.send({ ...whoami, expect: [200] }),
  );
  if (tags.includes("administrator")) return;
  throw new ProviderFailure("auth", "the administrator of the rule is not one of RabbitMQ", {
    hints: ["give it the tag: rabbitmqctl set_user_tags NAME administrator"],
  });
}

async function remarkOn(admin: RabbitmqApi, users: readonly string[], next: string): Promise<readonly string[]> {
  const found = await Promise.all(users.map(async (user) => await findUser(admin, user)));
  if (found.every((user) => user === undefined)) throw noSuchUser(users);
  const own = found.find((user) => user?.name === next);
  if (own === undefined) return [`${next} does not exist yet: it is made, with the rights of the other user`];
  return users.length > 1 && own.password_hash !== ""
    ? [`${next} has a password now, which ends when the new one is applied`]
    : [];
}

function noSuchUser(users: readonly string[]): ProviderFailure {
  return new ProviderFailure("auth", `RabbitMQ has no user ${users.join(" and no user ")}`, {
    hints: ["make the first one with its permissions: rabbitmqctl add_user NAME, rabbitmqctl set_permissions"],
  });
}

/**
 * A user without the tag `management` is refused with another reason than one with a wrong
 * password (rabbit_mgmt_util, `is_authorized`; 4.x says Not_Authorized for the latter).
 */
function readLiveness({ status, json }: HttpAnswer): Liveness {
  if (status === 200) return "live";
  const reason = z.object({ reason: z.string() }).safeParse(json).data?.reason ?? "";
  if (reason === "Not management user") return "live";
  return ["Login failed", "Not_Authorized"].includes(reason) ? "dead" : "unknown";
}
