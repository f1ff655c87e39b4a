import { hasCode, SealtreeError } from "../errors.ts";
import { printAddress, type Address } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import type { Tree } from "../store/tree.ts";
import type { FileChange } from "../store/write.ts";
import { parseGeneratorOptions, publicHalfOf, type GeneratorSpec } from "./generator-spec.ts";
import { loadRotationPolicy, ruleFor, type Rule } from "./policy.ts";

/** A value whose public half may be wanted. */
export interface MadeValue {
  readonly address: Address;
  readonly secret: Secret;
  /** What made it, when that is not what its rule says. */
  readonly spec?: GeneratorSpec | undefined;
  readonly madeAt: Date;
}

/**
 * The file that `public` of a rule asks for, with the public half of a value, to be written in
 * the commit of the value; none when the rule does not ask. Throws E_VALUE_UNFIT when the value
 * has no public half, and E_UNSAFE_FILE when the path leads through a symbolic link or into
 * another repository.
 */
export async function planPublicHalf(
  tree: Tree,
  rule: Rule | undefined,
  { address, secret, spec, madeAt }: MadeValue,
): Promise<readonly FileChange[]> {
  const path = rule?.publicPath;
  if (rule === undefined || path === undefined) return [];
  await checkPlace(tree, path, address);
  const bytes = await publicHalfOf(spec ?? parseGeneratorOptions(rule.options), secret, madeAt);
  return [{ path, bytes }];
}

/** {@link planPublicHalf} by the rule that the policy of `tree` has for the address. Throws E_POLICY_INVALID. */
export async function planPublicHalfByPolicy(tree: Tree, value: MadeValue): Promise<readonly FileChange[]> {
  return await planPublicHalf(tree, ruleFor(await loadRotationPolicy(tree), value.address), value);
}

/** Reading refuses what is no regular file in real folders. */
async function checkPlace(tree: Tree, path: string, address: Address): Promise<void> {
  await tree.read(path);
  const folders = path.split("/").slice(0, -1);
  for (let depth = 1; depth <= folders.length; depth++) {
    const folder = folders.slice(0, depth).join("/");
    if (!(await isRepository(tree, folder))) continue;
    throw new SealtreeError("E_UNSAFE_FILE", `${folder} is a repository of its own`, {
      file: path,
      hints: [`let the rule of ${printAddress(address)} name a public path in this repository`],
    });
  }
}

/** True when a folder has a `.git`, be it the folder of a repository or the file of a submodule. */
async function isRepository(tree: Tree, folder: string): Promise<boolean> {
  try {
    return (await tree.read(`${folder}/.git`)) !== undefined;
  } catch (error) {
    if (hasCode(error, "E_UNSAFE_FILE")) return true;
    throw error;
  }
}
