import { z } from "zod";
import { isServiceUrl } from "../net/http-client.ts";

/**
 * An option that moves a service to another address: one of the provider's own `hosts`, or of this
 * machine. No other, so that whoever edits a rule cannot have the administrator's credential sent
 * to a host of theirs. A host that begins with a dot stands for all below it.
 */
export function serviceEndpoint(...hosts: readonly string[]) {
  return z.string().refine((text) => isServiceUrl(text) && isOneOf(new URL(text).hostname, hosts), {
    error: `the address of the service can only be ${hosts.join(", ")}, or this machine`,
  });
}

function isOneOf(host: string, hosts: readonly string[]): boolean {
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(host);
  return isLocal || hosts.some((known) => host === known || (known.startsWith(".") && host.endsWith(known)));
}
