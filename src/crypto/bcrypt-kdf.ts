interface BcryptPbkdf {
  /** Fills `key`; gives 0 when it did. */
  pbkdf(
    passphrase: Uint8Array,
    passphraseBytes: number,
    salt: Uint8Array,
    saltBytes: number,
    key: Uint8Array,
    keyBytes: number,
    rounds: number,
  ): number;
}

/**
 * `length` bytes of a passphrase by bcrypt_pbkdf of OpenBSD, which protects OpenSSH's private
 * keys; about 13 ms a round. Undefined when passphrase or salt are empty.
 */
export async function deriveWithBcrypt(
  passphrase: Uint8Array,
  salt: Uint8Array,
  rounds: number,
  length: number,
): Promise<Uint8Array | undefined> {
  // @ts-expect-error -- the package has no types
  const library = (await import("bcrypt-pbkdf")) as { readonly default: BcryptPbkdf };
  const key = new Uint8Array(length);
  const status = library.default.pbkdf(passphrase, passphrase.length, salt, salt.length, key, length, rounds);
  return status === 0 ? key : undefined;
}
