"""Runs every vector of ../*.json and prints `N passed, N failed`; exit status 1 on a failure."""

import hashlib
import json
import pathlib
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import sealtree_drop
import sealtree_format as sealtree
import sealtree_sql


def run_pae(given):
    return {"encoded": sealtree.pae([bytes.fromhex(part) for part in given["parts"]]).hex()}


def run_pad(given):
    return {"padded": sealtree.pad(given["length"])}


def run_base64url(given):
    return {"bytes": sealtree.decode_base64url(given["text"]).hex()}


def run_fingerprint(given):
    return {"fingerprint": sealtree.fingerprint(given["recipient"])}


def run_generation(given):
    if given["kind"] == "id":
        return {"generation": sealtree.generation_id(bytes.fromhex(given["dek"]), given["scope"])}
    if given["kind"] == "readers":
        return {"hash": sealtree.hash_readers(given["readers"]).hex()}
    dek, created, previous, hash_, scope = sealtree.parse_payload(bytes.fromhex(given["payload"]))
    return {
        "dek": dek.hex(),
        "created": created,
        "previous": previous,
        "minted_for_hash": hash_.hex(),
        "scope": scope,
    }


def run_generation_file(given):
    opened = sealtree.open_generation_file(given["file"], given["scope"], given["generation"], given["identity"])
    return {**opened, "dek": opened["dek"].hex()}


def run_scope_file(given):
    data = bytes.fromhex(given["file_hex"]) if "file_hex" in given else given["file"].encode()
    entries = sealtree.parse_scope_file(data, given["scope"])
    return {"records": [dict(zip(("name", "record", "comments"), entry)) for entry in entries]}


def run_seal(given):
    dek = bytes.fromhex(given["dek"])
    place = (given["scope"], given["name"], given["purpose"])
    header = (given["generation"], given["value_id"], given["created"])
    repeated = given.get("value_repeated")
    value = bytes.fromhex(repeated["byte"]) * repeated["count"] if repeated else bytes.fromhex(given["value"])
    record = sealtree.seal(dek, *place, *header, given["kind"], value, bytes.fromhex(given["random"]))
    assert sealtree.parse_header(record) == header
    assert sealtree.open_record(dek, *place, record) == (given["kind"], value)
    if repeated:
        return {"record_characters": len(record), "record_sha256": hashlib.sha256(record.encode()).hexdigest()}
    data = sealtree.decode_base64url(record[4:])
    context = sealtree.make_context(*place, data[:33])
    key, commitment, nonce = sealtree.derive(dek, data[33:57], context)
    return {
        "context": context.hex(),
        "salt": data[33:57].hex(),
        "key": key.hex(),
        "commitment": commitment.hex(),
        "nonce": nonce.hex(),
        "record": record,
    }


def run_open(given):
    for keys in given.get("gcm", []):
        data = sealtree.parse_record(given["record"])
        key, nonce, context = (bytes.fromhex(keys[field]) for field in ("key", "nonce", "context"))
        AESGCM(key).decrypt(nonce, data[89:], context)
    place = (given["scope"], given["name"], given["purpose"])
    kind, value = sealtree.open_record(bytes.fromhex(given["dek"]), *place, given["record"])
    return {"kind": kind, "value": value.hex()}


def run_drop(given):
    opened = sealtree_drop.open_drop(given["drop"], given["scope"], given["name"], given["identity"])
    return {**dict(zip(("value_id", "created", "stanzas", "kind"), opened)), "value": opened[4].hex()}


def run_sql_row(given):
    columns = ("wrapped_key", "sealed", "mac")
    parse = lambda row: row and {**row, **{name: bytes.fromhex(row[name]) for name in columns}}
    sequence, values = sealtree_sql.read_owner(
        (given["owner_type"], given["owner_id"]),
        parse(given["owner_row"]),
        [parse(row) for row in given["rows"]],
        key=bytes.fromhex(given["key"]) if "key" in given else None,
        identity=given.get("identity"),
        integrity=bytes.fromhex(given.get("integrity_key", "")),
    )
    named = [{"name": name, "kind": kind, "value": value.hex()} for name, (kind, value) in sorted(values.items())]
    return {"sequence": sequence, "values": named}


RUNNERS = {
    "pae": run_pae,
    "pad": run_pad,
    "base64url": run_base64url,
    "fingerprint": run_fingerprint,
    "generation": run_generation,
    "generation-file": run_generation_file,
    "scope-file": run_scope_file,
    "seal": run_seal,
    "open": run_open,
    "drop": run_drop,
    "sql-row": run_sql_row,
}


def verdict(run, given):
    try:
        return "ok", run(given)
    except sealtree.Malformed:
        return "malformed", None
    except sealtree.Integrity:
        return "integrity", None


def main():
    passed = failed = 0
    for path in sorted(pathlib.Path(__file__).resolve().parent.parent.glob("*.json")):
        for vector in json.loads(path.read_text("utf-8"))["vectors"]:
            try:
                result = verdict(RUNNERS[path.stem], vector["input"])
            except Exception as error:  # a crash is a failed vector, and the others still run
                result = (type(error).__name__, None)
            if result == (vector["expect"], vector.get("output")):
                passed += 1
            else:
                failed += 1
                print(f"{path.name}: {vector['name']}: expected {vector['expect']}, got {result[0]}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
