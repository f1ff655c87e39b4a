// An age plugin for tests (C2SP age-plugin.md). Its keys are public by design and protect nothing:
// a recipient and its identity hold the same bytes, and the file key is hidden by a hash of them.
//
// AGE_TEST_PLUGIN_LOG   a line of JSON for each start goes into this file
// AGE_TEST_PLUGIN_MODE  what to do other than work; see `modes` below
// AGE_TEST_PLUGIN_WAIT  for the modes `wait` and `agent`: goes on, or ends, when this file is there
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, existsSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";

const machine = process.argv[2]?.replace("--age-plugin=", "");
const mode = process.env.AGE_TEST_PLUGIN_MODE ?? "";
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const modes = {
  crash: () => end(3, "the test plugin crashes"),
  garbage: () => write("\u001b[31mgarbage without end "),
  chatter: async () => {
    for (;;) await write("-> msg\nAAAA\n".repeat(5000));
  },
  "long-line": async () => {
    for (;;) await write("-> msg ".repeat(1000));
  },
  error: () => fail("no\u001b[2Jcard\nAGE-PLUGIN-SEALTREETEST-1QQQQ"),
  "error-then-crash": async () => {
    await ask(["error", "internal"], "the card is gone");
    await end(1, "something else");
  },
  confirm: async () => {
    const { args } = await ask(["confirm", base64("take the key"), base64("leave it")], "use the test key?");
    if (args.join(" ") !== "ok yes") await fail(`the answer was ${args.join(" ")}`);
  },
  secret: async () => {
    const { args, body } = await ask(["request-secret"], "test PIN");
    if (args[0] !== "ok" || body.toString() !== "test-pin") await fail(`the answer was ${args[0]}`);
  },
  public: async () => {
    const { args, body } = await ask(["request-public"], "test serial number");
    if (args[0] !== "ok" || body.toString() !== "test-serial") await fail(`the answer was ${args[0]}`);
  },
  message: async () => {
    const { args } = await ask(["msg"], "touch the\ntest key\u202e");
    if (args[0] !== "ok") await fail("the message was not shown");
  },
  agent: () => {
    const script = 'for i in $(seq 200); do [ -e "$AGE_TEST_PLUGIN_WAIT" ] && exit; sleep 0.05; done';
    spawn("/bin/sh", ["-c", script], { stdio: "inherit", detached: true }).unref();
  },
  wait: async () => {
    while (!existsSync(process.env.AGE_TEST_PLUGIN_WAIT)) await new Promise((resolve) => setTimeout(resolve, 5));
  },
};

const received = [];
for (;;) {
  const stanza = await read();
  if (stanza.args[0] === "done") break;
  received.push(stanza);
}
const bodies = (command) => received.filter(({ args }) => args[0] === command).map(({ body }) => body);
const keys = received
  .filter(({ args }) => /^add-(?:recipient|identity)$/.test(args[0]))
  .map(({ args }) => args[1].toLowerCase().replace(/^.*1/, "").slice(0, -6));
const stanzas = received.filter(({ args }) => args[0] === "recipient-stanza");
const files =
  machine === "recipient-v1" ? bodies("wrap-file-key").length : new Set(stanzas.map(({ args }) => args[1])).size;
log();
await modes[mode]?.();
const { args: reply } = await ask([`grease-${Date.now()}`, "tolerate", "me"], "grease");
if (reply[0] !== "unsupported") await fail("the client does not know what it does not support");
await (machine === "recipient-v1" ? wrapAll() : unwrapAll());
await write("-> done\n\n");
await end(0);

async function wrapAll() {
  const labels = /^labels (.*)$/.exec(mode)?.[1];
  if (labels !== undefined) await ask(["labels", ...labels.split(" ")]);
  for (const [index, fileKey] of bodies("wrap-file-key").entries()) {
    if (mode === "no-stanza" && index === 0) continue;
    for (const key of mode === "two-stanzas" ? [...keys, ...keys] : keys) {
      const nonce = createHash("sha256").update(`nonce ${key} ${index}`).update(fileKey).digest();
      const stanza = ["sealtreetest", base64(tagOf(key)), base64(nonce)];
      const file = mode === "wrong-file" ? "1000" : String(index);
      await ask(["recipient-stanza", file, ...stanza], hide(key, nonce, fileKey));
    }
  }
}

async function unwrapAll() {
  const found = new Set();
  for (const { args, body } of stanzas) {
    const [, file, type, tag, nonce] = args;
    const key = keys.find((candidate) => base64(tagOf(candidate)) === tag);
    if (type !== "sealtreetest" || key === undefined || found.has(file)) continue;
    found.add(file);
    if (mode === "error-stanza" && file === "0") {
      await ask(["error", "stanza", file, "0"], "this stanza is broken");
      continue;
    }
    const fileKey = hide(key, Buffer.from(nonce, "base64"), body);
    await ask(["file-key", file], mode === "short-key" ? fileKey.subarray(1) : fileKey);
    if (mode === "two-keys") await ask(["file-key", file], fileKey);
  }
}

function tagOf(key) {
  return createHash("sha256").update(`tag ${key}`).digest().subarray(0, 4);
}

function hide(key, nonce, bytes) {
  const pad = createHash("sha256").update(`pad ${key}`).update(nonce).digest();
  return Buffer.from(bytes.map((byte, index) => byte ^ pad[index]));
}

async function fail(text) {
  await ask(["error", "internal"], text);
  await write("-> done\n\n");
  await end(1);
}

/** Sends a command and gives the answer to it. */
async function ask(args, body = "") {
  const text = base64(Buffer.from(body));
  const rows = text.match(/.{1,64}/g) ?? [];
  await write([`-> ${args.join(" ")}`, ...rows, ...(text.length % 64 === 0 ? [""] : []), ""].join("\n"));
  return await read();
}

async function read() {
  const first = await nextLine();
  let text = "";
  for (let row = "x".repeat(64); row.length === 64; text += row) row = await nextLine();
  return { args: first.slice(3).split(" "), body: Buffer.from(text, "base64") };
}

async function nextLine() {
  const { value, done } = await lines.next();
  if (done) process.exit(4);
  return value;
}

function write(text) {
  return new Promise((resolve) => {
    process.stdout.write(text, resolve);
  });
}

async function end(status, words = "") {
  await new Promise((resolve) => {
    process.stderr.write(words, resolve);
  });
  process.exit(status);
}

function base64(bytes) {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}

function log() {
  if (process.env.AGE_TEST_PLUGIN_LOG === undefined) return;
  const line = {
    machine,
    keys: keys.length,
    files,
    own: Object.keys(process.env).filter((name) => name.startsWith("SEALTREE_")),
    commands: [...new Set(received.map(({ args }) => args[0].replace(/^grease-.*/, "grease")))],
    directory: process.cwd(),
  };
  appendFileSync(process.env.AGE_TEST_PLUGIN_LOG, `${JSON.stringify(line)}\n`);
}
