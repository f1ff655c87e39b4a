import type * as redis from "@redis/client";
import { errnoOf } from "../../errors.ts";
import { isCertificateCode, isUnsentCode } from "../../net/network-codes.ts";
import { ProviderFailure, type FailureClass } from "../../net/provider-failure.ts";
import type { Secret } from "../../secret/secret.ts";

export interface RedisServer {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Certificates to trust in place of the usual ones, as PEM. */
  readonly ca: string | undefined;
}

export interface RedisLogin {
  readonly user: string;
  readonly password: Secret;
}

export interface RedisConnection {
  /** One command; `isChange` when its outcome is unknown after a lost connection. Throws ProviderFailure. */
  ask(words: readonly [string, ...string[]], isChange?: boolean): Promise<unknown>;
  close(): void;
}

/** How people call a server. */
export function labelOf({ host, port }: Pick<RedisServer, "host" | "port">): string {
  return `${host}:${port}`;
}

type Library = typeof redis;
type Client = ReturnType<Library["createClient"]>;

/** What the first word of a refusal means (Redis, "Error replies" and src/server.c); all others are `rejected`. */
const classes: Readonly<Record<string, FailureClass>> = {
  WRONGPASS: "auth",
  NOAUTH: "auth",
  NOPERM: "auth",
  LOADING: "transient",
  BUSY: "transient",
  MASTERDOWN: "transient",
  CLUSTERDOWN: "transient",
  TRYAGAIN: "transient",
  MISCONF: "transient",
  OOM: "transient",
};

/** A connection that is logged in; undefined when the server does not know that login. Throws ProviderFailure. */
export async function openRedis(
  server: RedisServer,
  login: RedisLogin,
  timeoutMs: number,
): Promise<RedisConnection | undefined> {
  const library = await import("@redis/client");
  const client = createClient(library, server, login, timeoutMs);
  try {
    await withDeadline(client, timeoutMs, async () => await client.connect());
  } catch (error) {
    destroy(client);
    if (refusalCode(library, error) === "WRONGPASS") return undefined;
    throw failureOf(library, server, error, false);
  }
  return {
    async ask(words, isChange = false) {
      try {
        return await withDeadline(client, timeoutMs, async () => await client.sendCommand([...words]));
      } catch (error) {
        throw failureOf(library, server, error, isChange);
      }
    },
    close: () => destroy(client),
  };
}

function createClient(library: Library, server: RedisServer, login: RedisLogin, timeoutMs: number): Client {
  const { host, port, ca } = server;
  const common = { host, port, connectTimeout: timeoutMs, reconnectStrategy: false as const };
  const client = library.createClient({
    username: login.user,
    password: login.password.revealText() ?? "",
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: "disabled",
    socket: server.tls ? { ...common, tls: true, ...(ca === undefined ? {} : { ca }) } : common,
  });
  // Each failure reaches the call that it is of; an emitter without a listener would end the program.
  client.on("error", () => undefined);
  return client as unknown as Client;
}

/** A client that is closed already complains. */
function destroy(client: Client): void {
  if (client.isOpen) client.destroy();
}

async function withDeadline<T>(client: Client, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error("no answer in time"));
      destroy(client);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** The word that says what a refusal is. The rest may repeat what was sent, so it goes no further. */
function refusalCode(library: Library, error: unknown): string | undefined {
  if (!(error instanceof library.ErrorReply)) return undefined;
  return /^([A-Z]{2,20})(?: |$)/.exec(error.message)?.[1] ?? "ERR";
}

function failureOf(library: Library, server: RedisServer, error: unknown, isChange: boolean): ProviderFailure {
  const label = labelOf(server);
  const code = refusalCode(library, error);
  if (code !== undefined) {
    const hints = code === "NOPERM" ? ["the administrator needs the rights of docs/rotators/redis.md"] : [];
    return new ProviderFailure(classes[code] ?? "rejected", `${label} refuses a command with ${code}`, { hints });
  }
  const errno = errnoOf(error) ?? "";
  if (isCertificateCode(errno)) {
    return new ProviderFailure("transient", `the certificate of ${label} is not to be trusted (${errno})`, {
      hints: ["give the certificate of its authority in the option ca"],
    });
  }
  const isUnknown = isChange && !isUnsentCode(errno);
  return new ProviderFailure(isUnknown ? "unknown" : "transient", `${label} cannot be reached or does not answer`, {
    cause: error,
  });
}
