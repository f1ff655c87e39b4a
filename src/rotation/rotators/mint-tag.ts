/**
 * The name that a minted credential is given at its provider: what a person called it, and the tag
 * of the rotation that made it.
 */
export function printMintName(name: string, tag: string): string {
  return `${name} sealtree-${tag}`;
}

/** True for the name of a credential that was minted as `name`, by any rotation, or is called so. */
export function isMintName(text: string, name: string): boolean {
  return text === name || (text.startsWith(`${name} sealtree-`) && /^[0-9a-f]{16}$/.test(text.slice(name.length + 10)));
}
