"""Rows of a table, format 1: written from docs/targets/sql-format.md alone."""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from age_x25519 import AgeError, AgeFile, hkdf, parse_identity
from sealtree_format import Integrity, Malformed, pad, pae, parse_frame

MAX_NUMBER = 2**53 - 1


class NoAccess(Exception):
    """None of the keys is for the row."""


def u64be(number):
    return number.to_bytes(8, "big")


def check_shape(row):
    numbers = (row["sequence"], row["changed_at_ms"])
    frame = len(row["sealed"]) - 28
    if row["format"] != 1 or not all(0 <= number <= MAX_NUMBER for number in numbers):
        raise Malformed("a number is out of range")
    if len(row["mac"]) != 32 or not 5 <= frame <= 1_081_344 or pad(frame) != frame:
        raise Malformed("a column has the wrong length")


def unwrap(wrapped, context, key, identity):
    if wrapped[:1] == b"\x02":
        if identity is None:
            raise NoAccess("no identity")
        try:
            dek = AgeFile(wrapped[1:]).decrypt(parse_identity(identity))
        except AgeError as error:
            raise Integrity("the age file was changed") from error
        if len(dek) != 32:
            raise Malformed("a key has 32 bytes")
        return dek
    if wrapped[:1] != b"\x01" or len(wrapped) != 81:
        raise Malformed("the wrapped key is malformed")
    if key is None:
        raise NoAccess("no key")
    okm = hkdf(key, wrapped[1:33], b"sealtree/sql/wrap/v1", 44)
    try:
        return AESGCM(okm[:32]).decrypt(okm[32:], wrapped[33:], context)
    except InvalidTag as error:
        raise NoAccess("the key does not fit") from error


def open_row(owner, row, key, identity, integrity):
    """Kind and value."""
    check_shape(row)
    context = pae(["sealtree/sql/v1", b"\x01", *owner, row["kind"], row["name"], u64be(row["sequence"])])
    dek = unwrap(row["wrapped_key"], context, key, identity)
    clear = [row["address"], row["fingerprint"], row["readers"], u64be(row["changed_at_ms"])]
    mac_key = hkdf(dek, integrity, b"sealtree/sql/mac/v1", 32)
    bound = pae([context, *clear, row["wrapped_key"], row["sealed"]])
    if not hmac.compare_digest(hmac.digest(mac_key, bound, "sha256"), row["mac"]):
        raise Integrity("the row was changed")
    try:
        cipher = AESGCM(hkdf(dek, b"", b"sealtree/sql/seal/v1", 32))
        return parse_frame(cipher.decrypt(row["sealed"][:12], row["sealed"][12:], context))
    except InvalidTag as error:
        raise Integrity("the row was changed") from error


def read_owner(owner, owner_row, rows, key=None, identity=None, integrity=b""):
    """The sequence, and kind and value by name. `owner` is type and id."""
    ours = sorted((row for row in rows if row["address"] is not None), key=lambda row: row["name"].encode())
    for row in ours:
        check_shape(row)
    if owner_row is None:
        raise Integrity("there is no row of the owner")
    parts = [pae([row["name"], row["kind"], u64be(row["sequence"]), row["mac"]]) for row in ours]
    digest = hashlib.sha256(pae(["sealtree/sql/rows/v1", *parts])).digest()
    keys = (key, identity, integrity)
    if open_row(owner, owner_row, *keys) != ("binary", digest):
        raise Integrity("the rows are not those that were deployed last")
    opened = [(row, open_row(owner, row, *keys)) for row in ours]
    return owner_row["sequence"], {row["name"]: value for row, value in opened if row["kind"] == "value"}
