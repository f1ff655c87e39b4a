import { fingerprintOf } from "../crypto/recipient.ts";
import type { Finding } from "../store/finding.ts";
import { accessPolicyPath, memberPath } from "../store/layout.ts";
import type { CheckedDocument } from "../store/schema-findings.ts";
import { listKeyTexts, type MemberFile } from "./member-file.ts";
import type { Policy } from "./policy.ts";
import type { WrittenAccess } from "./policy-schema.ts";

/** What the rules of a policy go by: the policy, the file as written, and the key files by name. */
export interface PolicySource extends CheckedDocument<WrittenAccess> {
  readonly policy: Policy;
  readonly files: ReadonlyMap<string, MemberFile>;
}

/**
 * What is wrong in a policy that follows its schema, each with file and line. A key file of
 * nobody is a warning, since it grants nothing; the rest are errors.
 */
export function findPolicyProblems(source: PolicySource): Finding[] {
  return [
    ...findEntryProblems(source),
    ...findKeyFileProblems(source),
    ...findReturnedKeys(source),
    ...findSharedKeys(source),
  ];
}

/** Those that stand in the policy whatever the key files hold. */
export function findEntryProblems(source: PolicySource): Finding[] {
  return [...findRoleProblems(source), ...findNameProblems(source)];
}

function findRoleProblems({ policy, document }: PolicySource): Finding[] {
  const members = [...policy.members.values()];
  const defined = [...policy.roles.keys()].join(", ");
  const unknown = members.flatMap(({ name, roles }) =>
    [...roles.entries()]
      .filter(([, role]) => !policy.roles.has(role))
      .map(([index, role]) =>
        inPolicy(
          document.lineOf(["members", name, "roles", index]),
          `${name} has the role ${role}, which is not defined`,
          `define it under roles; defined are ${defined}`,
        ),
      ),
  );
  const hasAdmin = members.some(({ roles }) => roles.some((role) => policy.roles.get(role)?.isAdmin === true));
  if (hasAdmin || unknown.length > 0) return unknown;
  const hint = "give one of the members a role with admin: true";
  return [inPolicy(document.lineOf(["members"]), "no member is an admin, so nobody may change the policy", hint)];
}

function findNameProblems({ policy, data, document }: PolicySource): Finding[] {
  const findings: Finding[] = [];
  for (const { name, place } of listPlaces(data)) {
    const removal = policy.removed.get(name);
    if (removal === undefined || removal.readmitted !== undefined) continue;
    const message = `${name} was removed on ${removal.at}, by version ${removal.version}, and is back`;
    const hint = `take it out, then sealtree member add ${name} --readmit; or choose another name`;
    findings.push(inPolicy(document.lineOf(place), message, hint));
  }
  for (const [index, name] of data.recovery.entries()) {
    const line = document.lineOf(["recovery", index]);
    const hint = "a recovery key has a name of its own, once under recovery";
    if (policy.members.has(name)) findings.push(inPolicy(line, `${name} is a member and a recovery key`, hint));
    if (data.recovery.indexOf(name) < index) findings.push(inPolicy(line, `${name} is a recovery key twice`, hint));
  }
  return findings;
}

function findKeyFileProblems({ data, document, files }: PolicySource): Finding[] {
  const findings: Finding[] = [];
  const places = listPlaces(data);
  for (const { name, place } of places) {
    const file = files.get(name);
    if (file === undefined) {
      const message = `${name} has no key file ${memberPath(name)}`;
      findings.push(inPolicy(document.lineOf(place), message, "put the public keys there, one a line"));
    } else if (file.keys.recipients.length === 0) {
      const hint = "add an age1..., age1pq1... or ssh-ed25519 line";
      findings.push(inKeyFile(name, 1, `${memberPath(name)} has no recipient`, hint));
    }
  }
  const named = new Set(places.map(({ name }) => name));
  for (const name of files.keys()) {
    if (named.has(name)) continue;
    const message = `${memberPath(name)} belongs to no member`;
    findings.push({ ...inKeyFile(name, 1, message, "remove the file, or add the member"), severity: "warning" });
  }
  return findings;
}

/** Keys that were removed and stand in the file of a member or a recovery name. */
function findReturnedKeys({ policy, data, files }: PolicySource): Finding[] {
  return listKeys(data, files).flatMap(({ name, fingerprint, line }) => {
    const removal = policy.removedKeys.get(fingerprint);
    if (removal === undefined || removal.readmitted !== undefined) return [];
    const message = `key ${fingerprint} of ${removal.member} was removed on ${removal.at}, by version ${removal.version}, and is back`;
    const hint = `sealtree member remove ${name} --key ${fingerprint} takes it out; member add --readmit lets it in`;
    return [inKeyFile(name, line, message, hint)];
  });
}

/** Keys that stand in the files of two, at the second of them. */
function findSharedKeys({ data, files }: PolicySource): Finding[] {
  const owners = new Map<string, string>();
  return listKeys(data, files).flatMap(({ name, fingerprint, line }) => {
    const owner = owners.get(fingerprint);
    owners.set(fingerprint, owner ?? name);
    if (owner === undefined) return [];
    return [
      inKeyFile(name, line, `${owner} and ${name} have the same key ${fingerprint}`, "a key belongs to one member"),
    ];
  });
}

/** Where the policy names members, then recovery keys. */
function listPlaces({ members, recovery }: WrittenAccess): { name: string; place: readonly PropertyKey[] }[] {
  return [
    ...Object.keys(members).map((name) => ({ name, place: ["members", name] })),
    ...[...recovery.entries()].map(([index, name]) => ({ name, place: ["recovery", index] })),
  ];
}

/** Every key that is in force, once for each name that has it. */
function listKeys(
  data: WrittenAccess,
  files: PolicySource["files"],
): { name: string; fingerprint: string; line: number }[] {
  return [...new Set(listPlaces(data).map(({ name }) => name))].flatMap((name) => {
    const file = files.get(name);
    return (file === undefined ? [] : listKeyTexts(file.keys)).map((text) => ({
      name,
      fingerprint: fingerprintOf(text),
      line: file?.lines.get(text) ?? 1,
    }));
  });
}

function inPolicy(line: number, message: string, hint: string): Finding {
  return { rule: "policy", severity: "error", message, file: accessPolicyPath, line, hint };
}

function inKeyFile(name: string, line: number, message: string, hint: string): Finding {
  return { rule: "policy", severity: "error", message, file: memberPath(name), line, hint };
}
