"""Opens age v1 files with an X25519 identity: armor, header, payload (C2SP age specification)."""

import base64
import binascii
import hashlib
import hmac
import re

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK = 64 * 1024
TAG = 16


class AgeError(Exception):
    """The file is not an age file, or was changed."""


class NoIdentityFits(Exception):
    """The file is for somebody else."""


def hkdf(key, salt, info, length):
    return HKDF(hashes.SHA256(), length, salt, info).derive(key)


def parse_identity(text):
    """The X25519 scalar of AGE-SECRET-KEY-1... (BIP 173 bech32)."""
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    prefix, _, data = text.lower().rpartition("1")
    if text != text.upper() or prefix != "age-secret-key-" or any(c not in alphabet for c in data):
        raise ValueError("not an X25519 identity")
    values = [alphabet.index(c) for c in data]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    if bech32_checksum(expanded + values) != 1:
        raise ValueError("the identity has a wrong checksum")
    number = 0
    for value in values[:-6]:
        number = number << 5 | value
    spare = 5 * len(values[:-6]) - 256
    if not 0 <= spare < 5 or number & ((1 << spare) - 1):
        raise ValueError("the identity has a wrong length")
    return (number >> spare).to_bytes(32, "big")


def bech32_checksum(values):
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, constant in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> bit & 1:
                check ^= constant
    return check


def read_armor(text):
    """The bytes of a strictly armored file."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[0] != "-----BEGIN AGE ENCRYPTED FILE-----":
        raise AgeError("no armor")
    if lines[-2:] != ["-----END AGE ENCRYPTED FILE-----", ""]:
        raise AgeError("the armor does not end")
    body = lines[1:-2]
    if any(len(line) != 64 for line in body[:-1]) or not 0 < len(body[-1]) <= 64:
        raise AgeError("an armor line has a wrong length")
    try:
        data = base64.b64decode("".join(body), validate=True)
    except binascii.Error as error:
        raise AgeError("the armor is not base64") from error
    if base64.b64encode(data).decode() != "".join(body):
        raise AgeError("the armor is not canonical")
    return data


def decode_unpadded(text):
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise AgeError("not base64") from error
    if base64.b64encode(data).decode().rstrip("=") != text:
        raise AgeError("base64 is not canonical")
    return data


class AgeFile:
    """A parsed header: `stanzas` is a list of (arguments, body)."""

    def __init__(self, data):
        end = data.find(b"\n---")
        if end < 0:
            raise AgeError("the header does not end")
        stop = data.find(b"\n", end + 1)
        if stop < 0:
            raise AgeError("the header does not end")
        self.authenticated = data[: end + 4]
        self.payload = data[stop + 1 :]
        try:
            header = data[:end].decode("ascii")
            mac_line = data[end + 1 : stop].decode("ascii")
        except UnicodeDecodeError as error:
            raise AgeError("the header is not ASCII") from error
        match = re.fullmatch(r"--- ([A-Za-z0-9+/]{43})", mac_line)
        if match is None:
            raise AgeError("no MAC")
        self.mac = decode_unpadded(match[1])
        version, *lines = header.split("\n")
        if version != "age-encryption.org/v1":
            raise AgeError("another version")
        self.stanzas = list(parse_stanzas(lines))
        if not self.stanzas:
            raise AgeError("no stanza")

    def decrypt(self, scalar):
        """The whole plaintext. Raises NoIdentityFits or AgeError."""
        file_key = self.unwrap(scalar)
        mac_key = hkdf(file_key, b"", b"header", 32)
        if not hmac.compare_digest(hmac.digest(mac_key, self.authenticated, hashlib.sha256), self.mac):
            raise AgeError("the header was changed")
        nonce, body = self.payload[:16], self.payload[16:]
        if len(nonce) < 16:
            raise AgeError("no payload")
        return decrypt_stream(hkdf(file_key, nonce, b"payload", 32), body)

    def unwrap(self, scalar):
        private = X25519PrivateKey.from_private_bytes(scalar)
        recipient = private.public_key().public_bytes_raw()
        for arguments, body in self.stanzas:
            if arguments[0] != "X25519":
                continue
            if len(arguments) != 2 or len(body) != 32:
                raise AgeError("a stanza is malformed")
            share = decode_unpadded(arguments[1])
            if len(share) != 32:
                raise AgeError("a share has a wrong length")
            try:
                secret = private.exchange(X25519PublicKey.from_public_bytes(share))
            except ValueError as error:
                raise AgeError("a share has a low order") from error
            wrap_key = hkdf(secret, share + recipient, b"age-encryption.org/v1/X25519", 32)
            try:
                return ChaCha20Poly1305(wrap_key).decrypt(bytes(12), body, None)
            except InvalidTag:
                continue
        raise NoIdentityFits()


def parse_stanzas(lines):
    position = 0
    while position < len(lines):
        if not re.fullmatch(r"->( [!-~]+)+", lines[position]):
            raise AgeError("a stanza is malformed")
        arguments = lines[position].split(" ")[1:]
        body = ""
        while True:
            position += 1
            if position >= len(lines) or len(lines[position]) > 64:
                raise AgeError("a stanza does not end")
            body += lines[position]
            if len(lines[position]) < 64:
                break
        position += 1
        yield arguments, decode_unpadded(body)


def decrypt_stream(key, body):
    """STREAM: chunks of 64 KiB, the last one marked, and empty only if it is the first."""
    chunks = [body[start : start + CHUNK + TAG] for start in range(0, len(body), CHUNK + TAG)]
    if not chunks:
        raise AgeError("no chunk")
    plaintext = b""
    for counter, chunk in enumerate(chunks):
        last = counter == len(chunks) - 1
        if last and counter > 0 and len(chunk) == TAG:
            raise AgeError("the last chunk is empty")
        nonce = counter.to_bytes(11, "big") + bytes([last])
        try:
            plaintext += ChaCha20Poly1305(key).decrypt(nonce, chunk, None)
        except (InvalidTag, ValueError) as error:
            raise AgeError("the payload was changed") from error
    return plaintext
