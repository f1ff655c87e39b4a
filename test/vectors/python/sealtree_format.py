"""The sealtree file format, version 1: an implementation written from docs/format.md alone."""

import base64
import calendar
import hashlib
import hmac
import re
import time

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from age_x25519 import AgeError, AgeFile, hkdf, parse_identity, read_armor

MAX_VALUE = 1024 * 1024
MAX_TIME = 253_402_300_799
KINDS = {"text": 1, "binary": 2}


class Malformed(Exception):
    """The bytes break the grammar; no key is needed to see it."""


class Integrity(Exception):
    """The bytes are well formed, and a check with the key fails."""


# Encoding


def pae(parts):
    out = len(parts).to_bytes(8, "little")
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        out += len(data).to_bytes(8, "little") + data
    return out


def pad(n):
    if n <= 64:
        return 64
    if n <= 1024:
        return -(-n // 64) * 64
    e = n.bit_length() - 1
    s = e.bit_length()
    step = 1 << (e - s)
    return -(-n // step) * step


def encode_base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode_base64url(text):
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise Malformed("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(data) != text:
        raise Malformed("base64url is not canonical")
    return data


def sha256(data):
    return hashlib.sha256(data).digest()


# Record


def make_context(scope, name, purpose, header):
    return pae(["sealtree/value/v1", purpose, scope, name, header])


def derive(dek, salt, context):
    okm = hkdf(dek, salt, b"sealtree/value/v1\x00" + sha256(context), 76)
    return okm[:32], okm[32:64], okm[64:]


def seal(dek, scope, name, purpose, generation, value_id, created, kind, value, random):
    """A record. `generation` and `value_id` are hex, `random` 32 bytes."""
    if len(value) > MAX_VALUE:
        raise ValueError("the value is too long")
    header = b"\x01" + bytes.fromhex(generation) + bytes.fromhex(value_id) + created.to_bytes(8, "big")
    context = make_context(scope, name, purpose, header)
    frame = bytes([KINDS[kind]]) + len(value).to_bytes(4, "big") + value
    frame = frame.ljust(pad(len(frame)), b"\x00")
    salt_key = hkdf(dek, b"", b"sealtree/salt/v1", 32)
    salt = hmac.digest(salt_key, pae([random, context, frame]), "sha256")[:24]
    key, commitment, nonce = derive(dek, salt, context)
    return "st1." + encode_base64url(header + salt + commitment + AESGCM(key).encrypt(nonce, frame, context))


def parse_record(record):
    """The checked bytes of a record."""
    if not record.startswith("st1."):
        raise Malformed("not a record")
    data = decode_base64url(record[4:])
    frame = len(data) - 105
    if frame < 64 or frame > pad(5 + MAX_VALUE) or pad(frame) != frame or data[0] != 1:
        raise Malformed("a record of a wrong length or version")
    if int.from_bytes(data[25:33], "big") > MAX_TIME:
        raise Malformed("an impossible time")
    return data


def parse_header(record):
    """Generation, value id, created: what anybody can read."""
    data = parse_record(record)
    return data[1:17].hex(), data[17:25].hex(), int.from_bytes(data[25:33], "big")


def open_record(dek, scope, name, purpose, record):
    """Kind and value."""
    data = parse_record(record)
    context = make_context(scope, name, purpose, data[:33])
    key, commitment, nonce = derive(dek, data[33:57], context)
    if not hmac.compare_digest(commitment, data[57:89]):
        raise Integrity("the commitment differs")
    try:
        frame = AESGCM(key).decrypt(nonce, data[89:], context)
    except InvalidTag as error:
        raise Integrity("the tag differs") from error
    return parse_frame(frame)


def parse_frame(frame):
    """Kind and value."""
    length = int.from_bytes(frame[1:5], "big")
    kinds = [kind for kind, code in KINDS.items() if frame[:1] == bytes([code])]
    if not kinds or length > MAX_VALUE or pad(5 + length) != len(frame) or any(frame[5 + length :]):
        raise Integrity("the frame is wrong")
    return kinds[0], frame[5 : 5 + length]


# Scope file

SEGMENT = r"(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:/|$))[a-z0-9][a-z0-9_-]{0,62}"
SCOPE = re.compile(rf"{SEGMENT}(?:/{SEGMENT}){{0,7}}")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
NOT_A_STRING = re.compile(
    r"y|yes|n|no|true|false|on|off|null|[0-9][0-9_.-]*|([0-9][0-9_.-]*)?e-?[0-9]+"
    r"|0b[01_]+|0o[0-7_]+|0x[0-9a-f_]+",
    re.IGNORECASE,
)
UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def print_scalar(text):
    return f'"{text}"' if NOT_A_STRING.fullmatch(text) else text


def parse_scalar(written):
    quoted = len(written) > 1 and written[0] == written[-1] == '"'
    text = written[1:-1] if quoted else written
    if print_scalar(text) != written:
        raise Malformed("quotes stand where they must, and only there")
    return text


def parse_scope_file(data, scope):
    """A list of (name, record, comments) in the order of the file; records in shape only."""
    if len(data) > 4 * MAX_VALUE:
        raise Malformed("the file is too large")
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise Malformed("not UTF-8") from error
    if not SCOPE.fullmatch(scope) or lines[:2] != ["$sealtree: 1", f"$scope: {print_scalar(scope)}"]:
        raise Malformed("the head lines are wrong")
    if len(lines) < 3 or lines[-1] != "":
        raise Malformed("the last line does not end")
    entries, comments = {}, []
    for line in lines[2:-1]:
        if line.startswith("#") and not UNFIT.search(line):
            comments.append(line[1:])
            continue
        if line == "" and not comments:
            continue
        written, _, record = line.partition(": ")
        name = parse_scalar(written)
        if not NAME.fullmatch(name) or not re.fullmatch(r"st1d?\.[A-Za-z0-9_-]+", record) or name in entries:
            raise Malformed("a line is not a record")
        if len(record) > (2_000_005 if record.startswith("st1d.") else 1_441_936) or len(entries) >= 10_000:
            raise Malformed("too much")
        entries[name] = (record, comments)
        comments = []
    if comments:
        raise Malformed("a comment stands above nothing")
    return [(name, record, comments) for name, (record, comments) in entries.items()]


# Keyring

GENERATION = re.compile(r"[0-9a-f]{32}")
MEMBER = re.compile(r"[a-z][a-z0-9_-]{0,62}")
FINGERPRINT = re.compile(r"[0-9a-f]{16}")


def fingerprint(recipient):
    return hashlib.sha256(recipient.encode()).hexdigest()[:16]


def generation_id(dek, scope):
    return hkdf(dek, b"", b"sealtree/generation/v1\x00" + sha256(pae([scope])), 16).hex()


def hash_readers(readers):
    pairs = [f"{name} {print_}".encode() for name, prints in readers.items() for print_ in prints]
    return sha256(pae(sorted(pairs)))


def parse_payload(data):
    """dek, created, previous or None, minted_for hash, scope."""
    if len(data) < 91 or data[0] != 1 or len(data) != 91 + int.from_bytes(data[89:91], "big"):
        raise Malformed("not a payload")
    created = int.from_bytes(data[33:41], "big")
    if created > MAX_TIME:
        raise Malformed("an impossible time")
    previous = data[41:57].hex() if any(data[41:57]) else None
    return data[1:33], created, previous, data[57:89], data[91:].decode("utf-8", "replace")


def parse_readers(written):
    """{alice: [fp, fp], deploy: [fp]}"""
    if not re.fullmatch(r"\{[^\[\]]+: \[[^\[\]]+\](, [^\[\]]+: \[[^\[\]]+\])*\}", written):
        raise Malformed("not a list of readers")
    readers, seen = {}, set()
    for item in written[1:-2].split("], "):
        name, _, prints = item.partition(": [")
        name = parse_scalar(name)
        fingerprints = [parse_scalar(print_) for print_ in prints.split(", ")]
        if not MEMBER.fullmatch(name) or not all(FINGERPRINT.fullmatch(print_) for print_ in fingerprints):
            raise Malformed("not a reader")
        if fingerprints != sorted(fingerprints) or (readers and name <= max(readers)):
            raise Malformed("readers are not in order")
        if seen.intersection(fingerprints) or len(set(fingerprints)) < len(fingerprints):
            raise Malformed("a fingerprint stands twice")
        seen.update(fingerprints)
        readers[name] = fingerprints
    return readers


def parse_time(text):
    form = "%Y-%m-%dT%H:%M:%SZ"
    try:
        seconds = calendar.timegm(time.strptime(text, form))
    except ValueError as error:
        raise Malformed("not a time") from error
    if seconds < 0 or time.strftime(form, time.gmtime(seconds)) != text:
        raise Malformed("not a time")
    return seconds


def open_generation_file(text, scope, file_name, identity):
    """dek and the clear fields. Raises NoIdentityFits of age_x25519 too."""
    lines = text.split("\n")
    if len(text) > 1024 * 1024 or len(lines) < 12 or lines[-1] != "" or lines[7] != "key: |":
        raise Malformed("not a generation file")
    fields = []
    for line, key in zip(lines, ["$sealtree", "$scope", "generation", "previous", "created", "minted_for", "wrapped_for"]):
        if not line.startswith(f"{key}: "):
            raise Malformed(f"{key} is missing")
        fields.append(line[len(key) + 2 :])
    version, for_scope, id_, previous, created, minted_for, wrapped_for = fields
    if version != "1" or parse_scalar(for_scope) != scope or parse_scalar(id_) != file_name:
        raise Malformed("it belongs elsewhere")
    previous = None if previous == "none" else parse_scalar(previous)
    if not GENERATION.fullmatch(file_name) or (previous and not GENERATION.fullmatch(previous)):
        raise Malformed("not a generation")
    created, minted_for, wrapped_for = parse_time(created), parse_readers(minted_for), parse_readers(wrapped_for)
    if not all(line.startswith("  ") for line in lines[8:-1]):
        raise Malformed("the key is not indented")
    try:
        age = AgeFile(read_armor("".join(f"{line[2:]}\n" for line in lines[8:-1])))
        payload = age.decrypt(parse_identity(identity))
    except AgeError as error:
        raise Malformed("the age file is malformed") from error
    try:
        dek, *bound = parse_payload(payload)
    except Malformed as error:
        raise Integrity("the payload is malformed") from error
    if bound != [created, previous, hash_readers(minted_for), scope] or generation_id(dek, scope) != file_name:
        raise Integrity("the key and the clear fields differ")
    if len(age.stanzas) != sum(len(prints) for prints in wrapped_for.values()):
        raise Integrity("wrapped_for and the stanzas differ")
    return {"dek": dek, "previous": previous, "created": created, "minted_for": minted_for, "wrapped_for": wrapped_for}
