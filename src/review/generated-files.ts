import { codeownersPath, planCodeowners } from "../access/codeowners.ts";
import type { Policy } from "../access/policy.ts";
import { printSigners, signersPath } from "../access/signers.ts";
import { isSealtreeError } from "../errors.ts";
import { hasMarkedBlock } from "../store/marked-block.ts";
import { readText, type Tree } from "../store/tree.ts";
import type { FileReader } from "./file-reader.ts";

/** A file that was made from the policy and differs from it now. */
export interface GeneratedDrift {
  readonly file: string;
  /** The command that writes it, such as `codeowners`. */
  readonly command: string;
}

/** The files made from the policy that are there and differ from it. One that was never made is none. */
export async function findGeneratedDrift(tree: Tree, reader: FileReader, policy: Policy): Promise<GeneratedDrift[]> {
  const drift: GeneratedDrift[] = [];
  const codeowners = await readText(reader, codeownersPath);
  if (codeowners !== undefined && hasMarkedBlock(codeowners) && !(await agrees(tree, policy)))
    drift.push({ file: codeownersPath, command: "codeowners" });
  const signers = await readText(reader, signersPath);
  if (signers !== undefined && signers !== printSigners(policy)) drift.push({ file: signersPath, command: "signers" });
  return drift;
}

/** A policy of which no code owners can be made does not agree with those that are there. */
async function agrees(tree: Tree, policy: Policy): Promise<boolean> {
  try {
    const { text, before } = await planCodeowners(tree, policy);
    return text === before;
  } catch (error) {
    if (isSealtreeError(error)) return false;
    throw error;
  }
}
