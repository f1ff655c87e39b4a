import { openDrop } from "../crypto/drop.ts";
import type { Identity } from "../crypto/identity.ts";
import { fingerprintOf } from "../crypto/recipient.ts";
import { openRecord } from "../crypto/record.ts";
import { isSealtreeError } from "../errors.ts";
import { mayRefer } from "../resolve/interpolate.ts";
import { printAddress, type Address, type SecretName } from "../secret/address.ts";
import type { Finding } from "../store/finding.ts";
import { generationPath } from "../store/layout.ts";
import { openGeneration, type OpenGeneration } from "../store/open-generation.ts";
import { findingOf } from "../store/finding-of.ts";
import type { Tree } from "../store/tree.ts";
import type { ReviewedScope } from "./reviewed-scope.ts";

/** Opens what the identities fit, scope after scope, and keeps nothing of it. */
export interface DeepCheck {
  /** What does not open although it should. A generation for other readers is no finding. */
  onScope(scope: ReviewedScope): Promise<Finding[]>;
  /** What is wrong with the references of the values that were opened, once all scopes were looked at. */
  onTree(tree: Tree): Promise<Finding[]>;
  /** How many records and drops were opened so far, and how many are for others. */
  readonly opened: number;
  readonly closed: number;
}

export async function createDeepCheck(identities: readonly Identity[]): Promise<DeepCheck> {
  const recipients = await Promise.all(identities.map(async (identity) => await identity.recipients()));
  const own = new Set(recipients.flat().map(({ text }) => fingerprintOf(text)));
  let opened = 0;
  let closed = 0;
  const referring: (Address & { readonly file: string; readonly line: number })[] = [];
  return {
    async onScope(reviewed) {
      const findings: Finding[] = [];
      const generations = await openGenerations(reviewed, identities, own, findings);
      const attempt = async (name: SecretName, open: () => Promise<boolean> | boolean) => {
        try {
          if (await open()) opened += 1;
          else closed += 1;
        } catch (error) {
          if (!isSealtreeError(error)) throw error;
          findings.push(findingOf("deep", error, { file: reviewed.file, line: reviewed.entries.get(name)?.line ?? 1 }));
        }
      };
      const { scope, headers, drops, entries } = reviewed;
      for (const [name, { generation }] of headers) {
        await attempt(name, () => {
          const open = generations.get(generation);
          if (open === undefined) return false;
          const entry = entries.get(name);
          const secret = openRecord(open.dek, { scope, name, purpose: "value" }, entry?.record ?? "");
          if (mayRefer(secret)) referring.push({ scope, name, file: reviewed.file, line: entry?.line ?? 1 });
          return true;
        });
      }
      for (const name of drops.keys()) {
        const sealed = entries.get(name)?.record ?? "";
        await attempt(name, async () => (await openDrop(sealed, { scope, name }, identities)) !== undefined);
      }
      return findings;
    },
    async onTree(tree) {
      if (referring.length === 0) return [];
      const { findReferenceFlaws } = await import("./reference-flaws.ts");
      const places = new Map(referring.map((it) => [printAddress(it), it]));
      return (await findReferenceFlaws(tree, identities, referring)).map(({ address, text, hint }): Finding => {
        const { file = "", line = 1 } = places.get(printAddress(address)) ?? {};
        return {
          rule: "reference",
          severity: "error",
          message: text,
          file,
          line,
          ...(hint === undefined ? {} : { hint }),
        };
      });
    },
    get opened() {
      return opened;
    },
    get closed() {
      return closed;
    },
  };
}

async function openGenerations(
  { scope, keyring }: ReviewedScope,
  identities: readonly Identity[],
  own: ReadonlySet<string>,
  findings: Finding[],
): Promise<ReadonlyMap<string, OpenGeneration>> {
  const generations = new Map<string, OpenGeneration>();
  for (const file of keyring.values()) {
    const path = generationPath(scope, file.id);
    try {
      const open = await openGeneration(scope, file, identities);
      if (open !== undefined) generations.set(file.id, open);
      else if ([...file.wrappedFor.values()].flat().some((print) => own.has(print))) {
        findings.push({
          rule: "deep",
          severity: "error",
          message: "it lists you as a reader, and none of its stanzas is for you",
          file: path,
          line: 7,
          hint: "sealtree rekey wraps it again, by somebody who can open it",
        });
      }
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      findings.push(findingOf("deep", error, { file: path, line: 8 }));
    }
  }
  return generations;
}
