import { isIP } from "node:net";
import { z } from "zod";
import { ProviderFailure } from "../net/provider-failure.ts";
import { Secret } from "../secret/secret.ts";
import type { SecretReference } from "./secret-reference.ts";
import type { ServiceAccess } from "./service-access.ts";

/** A name and a password. */
export interface Login {
  readonly user: string;
  readonly password: Secret;
}

/** Where a database server is. */
export interface DatabaseServer {
  readonly host: string;
  readonly port: number;
}

/** An option with the name or the address of a server. */
export const databaseHost = z
  .string()
  .max(253)
  .refine((text) => isIP(text) !== 0 || /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i.test(text), {
    error: "a host is a name or an address, without a port",
  });

/**
 * An option with a user. A name that every server takes in quotes and that needs no escape in them:
 * shorter than what is allowed, without what has a meaning in SQL, in a URL, or in the journal.
 */
export const databaseUser = z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,62}$/, {
  error: "a user is 1 to 63 letters, digits, _ . and -, and begins with a letter or _",
});

/** Whether a connection is made with TLS: always to another machine. */
export function usesTls(options: { readonly host: string; readonly tls?: "verify" | "off" }): boolean {
  return (options.tls ?? (isThisMachine(options.host) ? "off" : "verify")) === "verify";
}

/** True for an address that no other machine has. */
export function isThisMachine(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/**
 * The name and the password in a URL. Throws `auth` for a reference that does not hold one, or that
 * is of another server than the options': whoever may write that value must not get to choose who
 * sees what is sent. Nothing else of the URL is used. `whose` is for messages.
 */
export function readLoginUrl(
  server: DatabaseServer,
  whose: string,
  reference: SecretReference,
  protocols: readonly string[],
  access: Pick<ServiceAccess, "read">,
): Login {
  const text = access.read(reference).revealText()?.trim() ?? "";
  const hints = [`such as ${protocols[0] ?? ""}//user:password@${server.host}:${server.port}/`];
  if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
    throw new ProviderFailure("auth", `${whose} value is not a URL of this kind of server`, { hints });
  }
  const url = new URL(text);
  const isOfServer =
    url.hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase() === server.host.toLowerCase() &&
    (url.port === "" || Number(url.port) === server.port);
  if (!isOfServer) {
    throw new ProviderFailure("auth", `${whose} URL is of another server than the policy names`, {
      hints: ["host and port in the policy and in the URL must be the same"],
    });
  }
  try {
    const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
    if (user !== "" && password !== "") return { user, password: Secret.text(password) };
  } catch {
    // A percent sign that begins no escape: the same as a part that is missing.
  }
  throw new ProviderFailure("auth", `${whose} URL has no user or no password`, { hints });
}
