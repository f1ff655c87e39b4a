/**
 * True for the name of a secret that holds a private key of ours, by what sealtree and age look for:
 * an identity, the key that rotation signs with, or that of the GitHub App.
 */
export function isIdentityName(name: string): boolean {
  return /^(?:SEALTREE_(?:IDENTITY|SIGNING_KEY|APP_PRIVATE_KEY)|SOPS_AGE_KEY|AGE_(?:IDENTITY|SECRET_KEY|KEY))/i.test(
    name,
  );
}
