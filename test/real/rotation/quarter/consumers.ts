import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openRotationView } from "../../../../src/rotation/rotation-view.ts";
import { parseAddress } from "../../../../src/secret/address.ts";
import { sessionIn } from "../../../rotation/engine/run-engine.ts";
import type { PlannedSecret } from "./team-plan.ts";
import { readTargets, type World } from "./world.ts";

/** A login that was refused. */
export interface Refusal {
  readonly atMs: number;
  readonly address: string;
  readonly from: "target" | "repository";
  readonly during: string;
}

/** The team's programs. */
export interface Consumers {
  /** How often they logged in. */
  readonly logins: number;
  readonly refusals: readonly Refusal[];
  /** Each program with an account logs in with what its target has, and with what main has. */
  logIn(during: string): Promise<void>;
  /** All values of main, by address. */
  readHead(): Promise<ReadonlyMap<string, string>>;
}

export function createConsumers(world: World): Consumers {
  const { secrets, server, service, clock } = world;
  const refusals: Refusal[] = [];
  /** By the record, which says all. */
  const opened = new Map<string, string>();
  let known: { readonly commit: string; readonly values: Promise<ReadonlyMap<string, string>> } | undefined;
  let logins = 0;

  const readHead = async () => {
    const commit = readFileSync(join(server.folder, "refs", "heads", "main"), "utf8").trim();
    if (known?.commit !== commit) known = { commit, values: openHead(world, commit, opened) };
    return await known.values;
  };

  const logInWith = (secret: PlannedSecret, value: string | undefined, from: Refusal["from"], during: string) => {
    logins++;
    if (value === undefined || !service.logIn(secret.account, value))
      refusals.push({ atMs: clock.now(), address: secret.address, from, during });
  };

  return {
    refusals,
    get logins() {
      return logins;
    },
    readHead,
    async logIn(during) {
      const [held, head] = [readTargets(world), await readHead()];
      for (const secret of secrets) {
        if (secret.kind === "generate") continue;
        logInWith(secret, held.get(secret.name), "target", during);
        logInWith(secret, head.get(secret.address), "repository", during);
      }
    },
  };
}

async function openHead(
  { server, alice, secrets, clock }: World,
  commit: string,
  opened: Map<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const session = sessionIn({ root: server.folder, env: alice.repository.env, now: () => new Date(clock.now()) });
  const view = await openRotationView(session, commit);
  try {
    const values = new Map<string, string>();
    for (const { address } of secrets) {
      const { scope, name } = parseAddress(address);
      const { open } = await view.scope(scope);
      const record = open.entries.get(name)?.record;
      if (record === undefined) continue;
      const value = opened.get(record) ?? (await open.open(name)).revealText() ?? "";
      opened.set(record, value);
      values.set(address, value);
    }
    return values;
  } finally {
    view.close();
  }
}
