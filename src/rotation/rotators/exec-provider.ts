import { z } from "zod";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { Secret } from "../../secret/secret.ts";
import { generateValue } from "../generator-spec.ts";
import { createRunStep, programText, type RunStep as RunProgramStep } from "../../services/program-step.ts";
import type { ExecRule } from "./exec.ts";
import { requireEarlier } from "./earlier-value.ts";
import type { ChosenProvider, Credential, MintedProvider, Provider, RolledProvider } from "./provider.ts";
import type { Liveness } from "../../services/liveness.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { askLiveness } from "../../services/service-answer.ts";
import { digestValue } from "./value-digest.ts";

const id = z.string().regex(/^[\x21-\x7e]{1,256}$/);
const value = z.string().min(1).max(65_536);

/** What each step prints. */
const answers = {
  preflight: z.strictObject({
    remarks: z
      .array(z.string().regex(/^[\x20-\x7e]{1,200}$/))
      .max(20)
      .default([]),
  }),
  identify: z.strictObject({ id: id.nullable() }),
  choose: z.strictObject({ id }),
  apply: z.strictObject({}),
  inventory: z.strictObject({ credentials: z.array(z.strictObject({ id, note: z.string().default("") })).max(10_000) }),
  mint: z.strictObject({ id, value }),
  roll: z.strictObject({ value }),
  probe: z.strictObject({ liveness: z.enum(["live", "dead", "unknown"]) }),
  revoke: z.strictObject({}),
};
type RunStep = RunProgramStep<typeof answers>;

/** Starts nothing yet: each step is a run of its own. */
export function openExec(rule: ExecRule, access: ServiceAccess): Provider {
  const run = createRunStep(rule, access, {
    answers,
    changes: ["apply", "mint", "roll", "revoke"],
    of: "rule",
  });
  if (rule.kind === "chosen") return openChosen(rule, run, access);
  return rule.kind === "minted" ? openMinted(run) : openRolled(rule, run);
}

function common(run: RunStep) {
  return {
    preflight: async (current: Credential | undefined): Promise<readonly string[]> =>
      (await run("preflight", { current: print(current) })).remarks,
    probe: async (credential: Credential): Promise<Liveness> =>
      await askLiveness(async () => (await run("probe", { credential: print(credential) })).liveness),
    close: () => Promise.resolve(),
  };
}

/** By a step of its own, for a program that knows ids. */
async function identifyByProgram(run: RunStep, parts: Credential["parts"]): Promise<Credential | undefined> {
  if (parts["value"] === undefined) return undefined;
  const found = await run("identify", { credential: print({ id: undefined, parts }) });
  return found.id === null ? undefined : { id: found.id, parts: { ...parts, id: Secret.text(found.id) } };
}

/** By its digest, for a value that has no id. */
async function identifyByProbe(
  rule: ExecRule,
  parts: Credential["parts"],
  probe: (credential: Credential) => Promise<Liveness>,
): Promise<Credential | undefined> {
  const present = parts["value"];
  if (present === undefined) return undefined;
  const credential = await digested(rule, present);
  const answer = await probe(credential);
  if (answer !== "unknown") return answer === "live" ? credential : undefined;
  throw new ProviderFailure(
    "transient",
    "the program of the rule could not find out whether the present value is live",
  );
}

function openChosen(rule: ExecRule, run: RunStep, access: ServiceAccess): ChosenProvider {
  const shared = common(run);
  const named = async (value: Secret, current: Credential | undefined): Promise<Credential> => {
    if (!rule.chooses_id) return await digested(rule, value);
    const { id } = await run("choose", { current: print(current) });
    return { id, parts: { value, id: Secret.text(id) } };
  };
  return {
    ...shared,
    kind: "chosen",
    identify: async (parts) =>
      rule.chooses_id ? await identifyByProgram(run, parts) : await identifyByProbe(rule, parts, shared.probe),
    choose: async (current) => await named(await generateValue(rule.value, access), current),
    recall: async ({ value }, current) => await named(requireEarlier(value), current),
    async apply(next, current) {
      await run("apply", { credential: print(next), current: print(current) });
    },
    async revoke(credential) {
      await run("revoke", { credential: print(credential) });
    },
  };
}

function openMinted(run: RunStep): MintedProvider {
  const list = async () => (await run("inventory")).credentials;
  return {
    ...common(run),
    kind: "minted",
    identify: async (parts) => await identifyByProgram(run, parts),
    inventory: async () => (await list()).map((credential) => credential.id),
    async mint(tag) {
      const minted = await run("mint", { tag });
      return { id: minted.id, parts: { value: Secret.text(minted.value), id: Secret.text(minted.id) } };
    },
    async isTagged(wanted, tag) {
      const note = (await list()).find((credential) => credential.id === wanted)?.note;
      return note === undefined || note === "" ? undefined : note.includes(tag);
    },
    async revoke(credential) {
      await run("revoke", { credential: print(credential) });
    },
  };
}

function openRolled(rule: ExecRule, run: RunStep): RolledProvider {
  const shared = common(run);
  return {
    ...shared,
    kind: "rolled",
    identify: async (parts) => await identifyByProbe(rule, parts, shared.probe),
    roll: async (current) => await digested(rule, Secret.text((await run("roll", { current: print(current) })).value)),
    async revoke(credential) {
      await run("revoke", { credential: print(credential) });
    },
  };
}

function print(credential: { readonly id: string | undefined; readonly parts: Credential["parts"] } | undefined) {
  if (credential === undefined) return null;
  const { value: held, id: kept } = credential.parts;
  return {
    id: credential.id ?? kept?.revealText() ?? null,
    value: held === undefined ? null : programText(held, "rule"),
  };
}

async function digested(rule: ExecRule, held: Secret): Promise<Credential> {
  return { id: `exec:${await digestValue(["exec", ...rule.command], held)}`, parts: { value: held } };
}
