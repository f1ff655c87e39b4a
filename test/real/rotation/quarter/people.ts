import { leaversScope, type PlannedSecret } from "./team-plan.ts";
import { quietSecret } from "./team-policies.ts";
import { readIssue, readTargets, type World } from "./world.ts";

/** What people do in the simulation. */
export interface People {
  /** Sets what only a person can, so many days after the issue first asked for it, and ends old keys. */
  workByHand(day: number): Promise<void>;
  /** Addresses whose only key a job did not touch, as it is to be rotated by name. */
  askedByName(): string[];
  /** Such a one was rotated: whoever reads the same issue again does not do it twice. */
  remember(address: string): void;
  /** Removes a member, and gives new values to all that they could read. Gives the scope. */
  offboard(day: number): Promise<string>;
  /** Commits a change that is not pushed yet. */
  prepareChange(): Promise<void>;
  pushChange(): void;
  /** Pushes it after what has come in between. */
  pushLater(): void;
}

/** How many days an old key is left beside the one that a person made. */
const oldKeyDays = 2;

export function createPeople(world: World): People {
  const { alice, secrets, service } = world;
  const byHand = secrets.filter(({ kind }) => kind === "by hand");
  const asked = new Map<string, number>();
  const old: { readonly secret: PlannedSecret; readonly value: string; readonly from: number }[] = [];
  /** What was done since the issue asked for it. */
  const handled = new Set<string>();
  let changes = 0;

  /** With GitHub down nobody reads issues. */
  function isAskedFor(address: string): boolean {
    if (!world.gates.github.isOpen) return false;
    const isThere = readIssue(world)?.includes(address) === true;
    if (!isThere) handled.delete(address);
    return isThere && !handled.has(address);
  }

  async function setByHand(secret: PlannedSecret, day: number): Promise<void> {
    alice.pull();
    const before = (await alice.run(["get", secret.address, "--reveal", "--yes"])).stdout;
    await alice.run(["set", secret.address, "--stdin"], service.makeKey(secret.account));
    alice.push();
    old.push({ secret, value: before, from: day + oldKeyDays });
    asked.delete(secret.address);
    handled.add(secret.address);
  }

  return {
    async workByHand(day) {
      for (const { address } of byHand) if (!asked.has(address) && isAskedFor(address)) asked.set(address, day);
      for (const secret of byHand) {
        const since = asked.get(secret.address);
        if (since !== undefined && day >= since + secret.personDays) await setByHand(secret, day);
      }
      for (const each of old.filter(({ from }) => day >= from)) {
        // A program that has the old one still is waited for.
        if (readTargets(world).get(each.secret.name) === each.value) continue;
        service.endKey(each.secret.account, each.value);
        old.splice(old.indexOf(each), 1);
      }
    },
    askedByName: () =>
      secrets.filter(({ kind, address }) => kind === "one key" && isAskedFor(address)).map(({ address }) => address),
    remember: (address) => void handled.add(address),
    async offboard(day) {
      alice.pull();
      await alice.run(["offboard", "bob", "--yes"], undefined, [8]);
      alice.push();
      // It pushes as it goes, and moves the branch of the clone on.
      await alice.run(["rotate", "--exposed-to", "bob", "--yes"], undefined, [8]);
      alice.push();
      for (const secret of byHand.filter(({ scope }) => scope === leaversScope)) await setByHand(secret, day);
      return leaversScope;
    },
    async prepareChange() {
      alice.pull();
      await alice.run(["set", quietSecret, "--stdin"], `test-banner-${++changes}`);
    },
    pushChange: () => alice.push(),
    pushLater() {
      alice.git("pull", "--quiet", "--rebase", world.server.folder, "main");
      alice.push();
    },
  };
}
