"""
Work for the cross-check with TypeScript: a JSON list of requests on standard input, a JSON
list of answers on standard output. A request has an `op`:

seal             a vector input of seal.json without `random`; gives {"record"}
open             a vector input of open.json; gives {"kind", "value"} or {"failure"}
open-drop        a vector input of drop.json; gives {"kind", "value"} and more, or {"failure"}
open-generation  a vector input of generation-file.json; gives {"dek"} or {"failure"}
read-scope       a vector input of scope-file.json; gives {"records"} or {"failure"}
"""

import json
import secrets
import sys

import check_vectors
import sealtree_format as sealtree


def seal(given):
    place = (given["scope"], given["name"], given["purpose"])
    header = (given["generation"], given["value_id"], given["created"])
    value = bytes.fromhex(given["value"])
    dek = bytes.fromhex(given["dek"])
    return {"record": sealtree.seal(dek, *place, *header, given["kind"], value, secrets.token_bytes(32))}


OPERATIONS = {
    "seal": seal,
    "open": check_vectors.run_open,
    "open-drop": check_vectors.run_drop,
    "open-generation": check_vectors.run_generation_file,
    "read-scope": check_vectors.run_scope_file,
}


def answer(request):
    verdict, output = check_vectors.verdict(OPERATIONS[request["op"]], request)
    return output if verdict == "ok" else {"failure": verdict}


if __name__ == "__main__":
    json.dump([answer(request) for request in json.load(sys.stdin)], sys.stdout)
