import type { Session } from "../access/session.ts";
import { readSealedHeader } from "../crypto/sealed-header.ts";
import { SealtreeError } from "../errors.ts";
import { generateValue } from "../rotation/generator-spec.ts";
import { type Address, printAddress, type ScopePath, type SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import type { Tree } from "../store/tree.ts";
import type { WriteOutcome } from "../store/write.ts";
import type { ChangeSummary, ValueChange } from "../values/change-scope.ts";
import { type OpenScope, openScope } from "../values/open-scope.ts";
import { type ValueWriteOptions, writeValues } from "../values/write-values.ts";
import type { PlannedSecret, ProvisionPlan } from "./plan.ts";

/** The answers to the prompts of a plan, by address; an optional one may be without. */
export type Answers = ReadonlyMap<string, Secret>;

/** Options of the write; the words of the commit are given here. */
export type ProvisionOptions = Omit<ValueWriteOptions, "verb" | "subject" | "reason">;

/**
 * Makes, copies and sets what a plan says, in one commit, and writes over nothing: a secret that
 * somebody made in the meantime is E_RACED. Throws E_SECRET_NOT_FOUND when the source of a copy that
 * is not optional is not there, and what opening and writing throw; then nothing was written.
 */
export async function provision(
  session: Session,
  env: ScopePath,
  { secrets }: ProvisionPlan,
  answers: Answers,
  options: ProvisionOptions,
): Promise<WriteOutcome<readonly ChangeSummary[]>> {
  checkSources(secrets);
  const subject = `secrets: provision ${env}`;
  return await writeValues(session, { ...options, verb: "provision", subject, reason: "setup" }, async (tree) => {
    const opened = openedScopes(session, tree);
    const scopes = new Map<ScopePath, Map<SecretName, ValueChange>>();
    for (const secret of secrets) {
      const change = await changeOf(session, secret, answers, opened);
      if (change === undefined) continue;
      const { scope, name } = secret.address;
      const changes = scopes.get(scope) ?? new Map<SecretName, ValueChange>();
      scopes.set(scope, changes.set(name, change));
    }
    return [...scopes].map(([scope, changes]) => ({ scope, changes, expected: new Map() }));
  });
}

function checkSources(secrets: readonly PlannedSecret[]): void {
  const lacking = secrets.filter(({ step, optional }) => step === "no source" && !optional);
  if (lacking.length === 0) return;
  throw new SealtreeError("E_SECRET_NOT_FOUND", `${lacking.length} secrets to copy are not there`, {
    hints: [
      ...lacking.map(({ address, origin }) =>
        origin.way === "copy"
          ? `${printAddress(address)} is a copy of ${printAddress(origin.from)}`
          : printAddress(address),
      ),
      "set them first, or write optional: true in the template",
    ],
  });
}

async function changeOf(
  session: Session,
  { step, origin, address }: PlannedSecret,
  answers: Answers,
  opened: (scope: ScopePath) => Promise<OpenScope>,
): Promise<ValueChange | undefined> {
  if (step === "stays" || step === "no source") return undefined;
  if (origin.way === "generate") return { action: "set", secret: await generateValue(origin.spec, session) };
  if (origin.way === "copy") return await copyOf(origin.from, await opened(origin.from.scope));
  const answer = answers.get(printAddress(address));
  return answer === undefined ? undefined : { action: "set", secret: answer };
}

/** A copy keeps its value's id: who could read the value there knows it here. */
async function copyOf({ name }: Address, scope: OpenScope): Promise<ValueChange> {
  const secret = await scope.open(name);
  const { valueId, createdAt } = readSealedHeader(scope.entries.get(name)?.record ?? "");
  return { action: "set", secret, origin: { valueId, createdAt } };
}

function openedScopes(session: Session, tree: Tree): (scope: ScopePath) => Promise<OpenScope> {
  const scopes = new Map<ScopePath, Promise<OpenScope>>();
  return (scope) => {
    const opened = scopes.get(scope) ?? session.identities().then((mine) => openScope(tree, scope, mine));
    scopes.set(scope, opened);
    return opened;
  };
}
