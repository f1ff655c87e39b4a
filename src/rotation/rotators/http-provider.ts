import { ProviderFailure } from "../../net/provider-failure.ts";
import { Secret } from "../../secret/secret.ts";
import { generateValue } from "../generator-spec.ts";
import { createSendStep, idAt, textAt, type SendStep } from "./http-steps.ts";
import type { ChosenHttpRule, HttpRule, MintedHttpRule, RolledHttpRule } from "./http-rule.ts";
import { resolvePointer } from "./json-pointer.ts";
import { requireEarlier } from "./earlier-value.ts";
import type { ChosenProvider, Credential, MintedProvider, Provider, RolledProvider } from "./provider.ts";
import type { Liveness } from "../../services/liveness.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { askLiveness } from "../../services/service-answer.ts";
import { digestValue } from "./value-digest.ts";

/** Sends nothing yet. */
export function openHttp(rule: HttpRule, access: ServiceAccess): Provider {
  const send = createSendStep(rule, access);
  if (rule.kind === "chosen") return openChosen(rule, send, access);
  return rule.kind === "minted" ? openMinted(rule, send) : openRolled(rule, send);
}

/** What all kinds do in the same way. */
function common(rule: HttpRule, send: SendStep) {
  return {
    async preflight(): Promise<readonly string[]> {
      const { preflight } = rule.steps;
      if (preflight === undefined)
        return ["the rule has no step preflight: whether it works shows only when it is run"];
      await send("preflight", preflight, preflight.expect);
      return [];
    },
    probe: async (credential: Credential): Promise<Liveness> =>
      await askLiveness(async () => {
        const { probe } = rule.steps;
        const { status } = await send("probe", probe, [...probe.live, ...probe.dead], valuesOf(credential));
        return probe.live.includes(status) ? "live" : "dead";
      }),
    close: () => Promise.resolve(),
  };
}

/** A credential without an id of the service's own; the one that the values are, when the service lets it in. */
async function identifyByProbe(
  rule: HttpRule,
  parts: Credential["parts"],
  probe: (credential: Credential) => Promise<Liveness>,
): Promise<Credential | undefined> {
  const { value } = parts;
  if (value === undefined) return undefined;
  const credential = await digested(rule, value);
  const answer = await probe(credential);
  if (answer !== "unknown") return answer === "live" ? credential : undefined;
  throw new ProviderFailure("transient", "the service could not be asked whether it knows the present value");
}

function openChosen(rule: ChosenHttpRule, send: SendStep, access: ServiceAccess): ChosenProvider {
  const { apply, revoke } = rule.steps;
  const shared = common(rule, send);
  return {
    ...shared,
    kind: "chosen",
    identify: async (parts) => await identifyByProbe(rule, parts, shared.probe),
    choose: async () => await digested(rule, await generateValue(rule.value, access)),
    recall: async ({ value }) => await digested(rule, requireEarlier(value)),
    async apply(next, current) {
      await send("apply", apply, apply.expect, { ...valuesOf(next), "current.value": current?.parts["value"] });
    },
    async revoke(credential) {
      if (revoke !== undefined) await send("revoke", revoke, revoke.expect, valuesOf(credential));
    },
  };
}

function openMinted(rule: MintedHttpRule, send: SendStep): MintedProvider {
  const { identify, mint, revoke } = rule.steps;
  const list = async () => await listItems(rule, send);
  const shared = common(rule, send);
  return {
    ...shared,
    kind: "minted",
    async identify(parts) {
      const { value } = parts;
      if (identify !== undefined && value !== undefined) {
        const answer = await send("identify", identify, [...identify.expect, ...identify.none], { value });
        if (!identify.expect.includes(answer.status)) return undefined;
        const id = idAt("identify", answer.json, identify.id);
        return { id, parts: { ...parts, id: Secret.text(id) } };
      }
      const id = parts["id"]?.revealText()?.trim();
      return id !== undefined && (await list()).some((item) => item.id === id) ? { id, parts } : undefined;
    },
    inventory: async () => (await list()).map(({ id }) => id),
    async mint(tag) {
      const { json } = await send("mint", mint, mint.expect, { tag });
      const [id, value] = [idAt("mint", json, mint.id), textAt("mint", json, mint.value)];
      return { id, parts: { value: Secret.text(value), id: Secret.text(id) } };
    },
    async isTagged(id, tag) {
      if (rule.steps.inventory.tag === undefined) return undefined;
      return (await list()).find((item) => item.id === id)?.note.includes(tag) ?? false;
    },
    async revoke({ id }) {
      await send("revoke", revoke, revoke.expect, { id });
    },
  };
}

function openRolled(rule: RolledHttpRule, send: SendStep): RolledProvider {
  const { roll } = rule.steps;
  const shared = common(rule, send);
  return {
    ...shared,
    kind: "rolled",
    identify: async (parts) => await identifyByProbe(rule, parts, shared.probe),
    async roll(current) {
      const { json } = await send("roll", roll, roll.expect, { "current.value": current?.parts["value"] });
      return await digested(rule, Secret.text(textAt("roll", json, roll.value)));
    },
    // The slot has one value: whatever came before it is dead.
    revoke: () => Promise.resolve(),
  };
}

const maxPages = 1000;

/** All credentials that are there, over all pages, with what their notes say. Throws ProviderFailure. */
async function listItems({ steps }: MintedHttpRule, send: SendStep): Promise<{ id: string; note: string }[]> {
  const { inventory } = steps;
  const found: { id: string; note: string }[] = [];
  let query: Record<string, string> = {};
  for (let page = 0; page < maxPages; page++) {
    const answer = await send("inventory", inventory, inventory.expect, {}, query);
    const items = resolvePointer(answer.json, inventory.items);
    if (!Array.isArray(items)) throw unreadable("has no list where the rule points");
    for (const item of items as readonly unknown[]) {
      const note = inventory.tag === undefined ? undefined : resolvePointer(item, inventory.tag);
      found.push({ id: idAt("inventory", item, inventory.id), note: typeof note === "string" ? note : "" });
    }
    const cursor = inventory.next === undefined ? undefined : resolvePointer(answer.json, inventory.next.cursor);
    if (inventory.next === undefined && /\brel="?next\b/i.test(answer.header("link") ?? "")) {
      throw unreadable("has further pages, which the rule does not ask for");
    }
    if (inventory.next === undefined || cursor === undefined || cursor === null || cursor === "") return found;
    query = { [inventory.next.query]: textAt("inventory", answer.json, inventory.next.cursor) };
  }
  throw unreadable("has no last page");
}

/** Half a list would have a rotation take a credential of others for one of its own. */
function unreadable(what: string): ProviderFailure {
  return new ProviderFailure("rejected", `the answer to inventory ${what}`, {
    hints: ["write the pointer of the cursor and the name of its parameter: next: {cursor: /next, query: cursor}"],
  });
}

function valuesOf({ id, parts }: Credential) {
  return { id, value: parts["value"] };
}

async function digested(rule: HttpRule, value: Secret): Promise<Credential> {
  return { id: `http:${await digestValue(["http", rule.url], value)}`, parts: { value } };
}
