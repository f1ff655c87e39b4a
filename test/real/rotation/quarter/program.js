/* oxlint-disable typescript/no-unsafe-call -- plain JavaScript, which is run as it is; nothing here has a type */
// The rotator of the team's own program: keys of the credential service, as docs/rotators/exec.md has it.
// settings: {url: address of the account}, secrets: {admin}
import { readFileSync } from "node:fs";

const exits = { auth: 11, limit: 12, transient: 20, unknown: 30 };
/** Why a step ends without an answer. */
class Failure extends Error {}

const steps = {
  async preflight(input) {
    await ask(input, "GET", "keys");
    return { remarks: [] };
  },
  async identify(input) {
    const { status, json } = await me(input);
    return { id: status === 200 ? json.key.id : null };
  },
  async inventory(input) {
    const { json } = await ask(input, "GET", "keys");
    return { credentials: json.data.map(({ id, name }) => ({ id, note: name })) };
  },
  async mint(input) {
    const { json } = await ask(input, "POST", "keys", { name: `program sealtree-${input.tag}` });
    return { id: json.id, value: json.value };
  },
  async probe(input) {
    const { status } = await me(input);
    return { liveness: status === 200 ? "live" : status === 401 ? "dead" : "unknown" };
  },
  async revoke(input) {
    await ask(input, "DELETE", `keys/${input.credential.id}`);
    return {};
  },
};

async function me({ settings, credential }) {
  const headers = { authorization: `Bearer ${credential.value}` };
  const response = await fetch(`${settings.url}/me`, { headers });
  return { status: response.status, json: await response.json() };
}

async function ask({ settings, secrets }, method, path, body) {
  const headers = { authorization: `Bearer ${secrets.admin}` };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(`${settings.url}/${path}`, { method, headers, ...sent });
  } catch {
    throw new Failure(method === "GET" ? "transient" : "unknown");
  }
  const { status } = response;
  if (status === 401 || status === 403) throw new Failure("auth");
  if (status === 409) throw new Failure("limit");
  if (status === 429 || status === 503) throw new Failure("transient");
  if (status >= 500) throw new Failure(method === "GET" ? "transient" : "unknown");
  return { status, json: status === 204 ? undefined : await response.json() };
}

try {
  const input = JSON.parse(readFileSync(0, "utf8"));
  const step = steps[input.step];
  if (input.sealtree !== 1 || step === undefined) throw new Failure("auth");
  process.stdout.write(JSON.stringify(await step(input)));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.exitCode = exits[error.message];
}
