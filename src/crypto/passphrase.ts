/** Asks the user for the passphrase of something, such as `the key ~/.ssh/id_rsa`. Throws E_NEEDS_TERMINAL when nobody can be asked. */
export type AskPassphrase = (of: string) => Promise<string>;
