"""Drops of the sealtree file format, version 1: written from docs/format.md alone."""

from age_x25519 import AgeError, AgeFile, parse_identity
from sealtree_format import MAX_TIME, Integrity, Malformed, decode_base64url, pae, parse_frame


def parse_drop(drop):
    """The 17 bytes of the header, and the age file."""
    if not drop.startswith("st1d.") or len(drop) > 2_000_005:
        raise Malformed("not a drop")
    data = decode_base64url(drop[5:])
    if len(data) < 17 or data[0] != 1 or int.from_bytes(data[9:17], "big") > MAX_TIME:
        raise Malformed("the header is wrong")
    try:
        age = AgeFile(data[17:])
    except AgeError as error:
        raise Malformed("the age file is malformed") from error
    if len(age.payload) < 32:
        raise Malformed("the age file has no payload")
    return data[:17], age


def open_drop(drop, scope, name, identity):
    """Value id, created, number of stanzas, kind and value. Raises NoIdentityFits of age_x25519 too."""
    header, age = parse_drop(drop)
    try:
        payload = age.decrypt(parse_identity(identity))
    except AgeError as error:
        raise Integrity("the age file was changed") from error
    start = pae(["sealtree/drop/v1", scope, name, header, b""])[:-8]
    frame = payload[len(start) + 8 :]
    if payload != start + len(frame).to_bytes(8, "little") + frame:
        raise Integrity("it is no drop, or one for another place")
    return (header[1:9].hex(), int.from_bytes(header[9:], "big"), len(age.stanzas), *parse_frame(frame))
