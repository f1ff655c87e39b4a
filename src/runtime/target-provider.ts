import { nameThere, takesName } from "../deploy/target-names.ts";
import { bindTarget, type BoundTarget } from "../deploy/targets/bind-target.ts";
import { SealtreeError } from "../errors.ts";
import { isProviderFailure } from "../net/provider-failure.ts";
import { printAddress, type Address, type SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import type { SecretReference } from "../services/secret-reference.ts";
import type { ServiceAccess } from "../services/service-access.ts";
import { deployPolicyPath } from "../store/layout.ts";
import type { SourceTarget } from "./environment-policy.ts";
import type { Provider } from "./provider.ts";
import { findTargetReader, type ReaderAccess, type TargetReader } from "./target-reader.ts";

/** Gives what a target needs to be spoken to, once it is known which credentials it refers to. */
export type PrepareAccess = (references: readonly SecretReference[]) => Promise<ReaderAccess>;

/**
 * Values where they were deployed to: a target of the policy, under the names that deploy gives them
 * there. Connects when it is first read from, and anew when it is no longer let in.
 */
export function targetProvider(name: string, target: SourceTarget, prepare: PrepareAccess): Provider {
  let connecting: Promise<Connection> | undefined;
  const connect = async () => {
    const mine = (connecting ??= openConnection(name, target, prepare));
    try {
      return await mine;
    } catch (error) {
      if (connecting === mine) connecting = undefined;
      throw error;
    }
  };
  const disconnect = async () => {
    const last = connecting;
    connecting = undefined;
    await (await last?.catch(() => undefined))?.reader.close?.();
  };

  async function readOnce(addresses: readonly Address[]) {
    const connection = await connect();
    const names = new Map(addresses.map((address) => [printAddress(address), connection.toName(address)]));
    const values = await connection.reader.read([...new Set(names.values())]);
    return new Map(
      [...names].flatMap(([address, there]) => {
        const value = values.get(there);
        return value === undefined ? [] : [[address, { value }] as const];
      }),
    );
  }

  return {
    name,
    takes: ({ scope, name: secret }) => (target.scopes?.includes(scope) ?? true) && takesName(target.only, secret),
    async read(addresses) {
      const wasOpen = connecting !== undefined;
      try {
        return await readOnce(addresses);
      } catch (error) {
        // What it signed in with may have ended meanwhile.
        if (!wasOpen || !isProviderFailure(error) || error.class !== "auth") throw error;
        await disconnect();
        return await readOnce(addresses);
      }
    },
    close: disconnect,
  };
}

interface Connection {
  readonly reader: TargetReader;
  toName(address: Address): string;
}

async function openConnection(name: string, target: SourceTarget, prepare: PrepareAccess): Promise<Connection> {
  const { kind, options, names, prefix = "" } = target;
  const result = await bindTarget(kind, options);
  if (result === undefined) throw invalid(`${name}: there is no kind of target or provider of that name`);
  if ("problems" in result) throw invalid(`${name}: ${result.problems[0]?.message ?? "its fields are not right"}`);
  const { bound } = result;
  const access = await prepare(bound.references);
  const reader = await ((await findTargetReader(kind))?.(options, access) ?? openInspecting(name, bound, access));
  const naming = {
    only: undefined,
    names: new Map(Object.entries(names)),
    prefix,
    toName: (secret: SecretName) => bound.toName(secret),
  };
  return { reader, toName: (address) => nameThere(naming, address.name) };
}

/** Reads in the way that a deploy looks at what is there. */
async function openInspecting(name: string, bound: BoundTarget, access: ServiceAccess): Promise<TargetReader> {
  if (!bound.facts.readsBack) throw invalid(`${name}: values cannot be read back from there`);
  const target = await bound.open(access);
  return {
    async read(names) {
      const wanted = new Set(names);
      const found = new Map<string, Secret>();
      for (const { name: there, value } of await target.inspect(names))
        if (value !== undefined && wanted.has(there)) found.set(there, value);
      return found;
    },
    close: async () => await target.close(),
  };
}

function invalid(message: string): SealtreeError {
  return new SealtreeError("E_POLICY_INVALID", message, {
    file: deployPolicyPath,
    hints: ["docs/library.md has the sources that there are; docs/targets.md has the fields of each kind"],
  });
}
