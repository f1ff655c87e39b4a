import { ProviderFailure } from "../../net/provider-failure.ts";
import { Secret } from "../../secret/secret.ts";
import type { AwsSecrets } from "../../services/aws-secrets.ts";
import { blockOf, makeCurrent, versionIdOf } from "./aws-secret-version.ts";
import { findMembers, printMembers } from "./json-members.ts";
import type { Change, Found, OpenTarget } from "./target.ts";
import { overtaken } from "./write-checks.ts";

interface ObjectPlace {
  /** The name of the secret. */
  readonly path: string;
  readonly region: string;
  readonly kms_key?: string;
}

interface HeldObject {
  /** Each value as it is written, in JSON. */
  readonly members: ReadonlyMap<string, string>;
  readonly version: string | undefined;
}

const maxBytes = 65_536;

/** One secret of AWS Secrets Manager with a JSON object of all values. Keys of others stay as they are written. */
export function openAwsObject(client: AwsSecrets, { path, region, kms_key: kmsKey }: ObjectPlace): OpenTarget {
  let held: HeldObject | undefined;

  async function load(): Promise<HeldObject | undefined> {
    const read = await client.readVersion(path);
    if (read === undefined) return undefined;
    const members = findMembers(read.value.revealText() ?? "");
    if (members !== undefined) return { members, version: read.version };
    throw new ProviderFailure("rejected", "the secret at Amazon is there and holds no JSON object", {
      hints: ["give the target another path, or make its value {}"],
    });
  }
  async function write(next: ReadonlyMap<string, string>, change: Change): Promise<void> {
    const text = printMembers(next);
    if (Buffer.byteLength(text) > maxBytes) {
      throw new ProviderFailure("limit", `the values make an object of more than ${maxBytes} bytes in JSON`, {
        hints: ["take layout each, or spread the scopes over several targets"],
      });
    }
    const value = Secret.text(text);
    const [from, names] = [held?.version, change.removes.map(({ name }) => name)];
    const written = change.writes.map(({ name, mark }) => [name, mark.address, mark.fingerprint]);
    const version = versionIdOf([path, from ?? "", written, names]);
    if (held !== undefined) await makeCurrent(client, { id: path, version, from }, value);
    else if (!(await client.create(path, value, version, { tags: {}, kmsKey }))) throw overtaken();
    held = { members: next, version };
  }

  return {
    async inspect(names) {
      held = undefined;
      const state = await client.describe(path);
      if (state === undefined) return [];
      const blocked = blockOf(state, region);
      if (blocked !== undefined) return names.map((name): Found => ({ name, blocked }));
      held = await load();
      const { changedAtMs } = state;
      return names.flatMap((name): Found[] => {
        const text = held?.members.get(name);
        return text === undefined ? [] : [{ name, value: valueOf(text), revision: held?.version, changedAtMs }];
      });
    },
    async apply(change, progress) {
      held ??= await load();
      const next = new Map(held?.members);
      for (const { name, value } of change.writes) next.set(name, JSON.stringify(value.revealText() ?? ""));
      for (const { name } of change.removes) next.delete(name);
      const isSame = printMembers(next) === printMembers(held?.members ?? new Map<string, string>());
      if (!isSame) await write(next, change);
      for (const { name } of [...change.writes, ...change.removes]) progress.done(name);
    },
    close: () => Promise.resolve(),
  };
}

/** A string is its text; anything else what is written, which no value of ours is. */
function valueOf(text: string): Secret {
  const value: unknown = JSON.parse(text);
  return Secret.text(typeof value === "string" ? value : text);
}
