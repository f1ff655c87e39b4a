import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { decryptWithIdentities } from "../../src/crypto/age.ts";
import { encryptToRecipients } from "../../src/crypto/age-encrypt.ts";
import { parseAgeFile } from "../../src/crypto/age-file.ts";
import { generateIdentity, parseIdentities } from "../../src/crypto/identity.ts";
import { parseRecipient } from "../../src/crypto/parse-recipient.ts";
import { SealtreeError } from "../../src/errors.ts";
import type { PluginInteraction } from "../../src/identity/plugin-interaction.ts";
import { createPluginHost, type PluginSurroundings } from "../../src/identity/plugins.ts";
import { createRepository } from "../support/repository.ts";
import { installTestPlugin, testPluginKey, type TestPlugin, writeTestPlugin } from "../support/test-plugin.ts";

const key = testPluginKey("one");
const other = testPluginKey("two");
const plaintext = Buffer.from("test text");
const fileKey = Buffer.alloc(16, "test file key");

function hostOf(plugin: TestPlugin, surroundings: PluginSurroundings = {}) {
  return createPluginHost({ ...plugin.env, SEALTREE_PLUGINS: "sealtreetest" }, surroundings);
}

/** A file for the recipients, made by a plugin that works. */
async function sealed(...recipients: readonly string[]): Promise<string> {
  const host = hostOf(installTestPlugin());
  return await encryptToRecipients(recipients.map(parseRecipient), plaintext, "refused", async () => host);
}

async function failureOf(work: Promise<unknown>): Promise<SealtreeError> {
  const outcome = await work.catch((error: unknown) => error);
  if (outcome instanceof SealtreeError) return outcome;
  throw new Error(`it did not fail as it should: ${inspect(outcome)}`);
}

/** What happens when a plugin in `mode` wraps a file key. */
async function wrapIn(mode: string, interaction?: PluginInteraction) {
  const host = hostOf(installTestPlugin(mode), interaction === undefined ? {} : { interaction });
  return await host.wrapFileKey(key.recipient, fileKey);
}

const [mine, foreign] = [await sealed(key.recipient), await sealed(other.recipient)];

describe("a plugin", () => {
  it("seals to its recipient and opens with its identity", async () => {
    const plugin = installTestPlugin();
    const host = hostOf(plugin);
    const classic = await generateIdentity("x25519");
    const recipients = [classic.recipient, parseRecipient(other.recipient), parseRecipient(key.recipient)];
    const file = await encryptToRecipients(recipients, plaintext, "refused", async () => host);
    for (const { identity } of [key, other]) {
      const opened = await decryptWithIdentities(
        file,
        parseIdentities(identity, async () => host),
      );
      expect(opened).toEqual({ plaintext, stanza: undefined, stanzaCount: 3 });
    }
    expect(plugin.starts().map(({ machine }) => machine)).toEqual([
      "recipient-v1",
      "recipient-v1",
      "identity-v1",
      "identity-v1",
    ]);
  });

  it("does not open a file of others", async () => {
    const host = hostOf(installTestPlugin());
    const identities = parseIdentities(key.identity, async () => host);
    expect(await decryptWithIdentities(foreign, identities)).toBeUndefined();
  });

  it("wraps for an identity, for plugins that have no recipients", async () => {
    const host = hostOf(installTestPlugin());
    const stanza = await host.wrapFileKey(key.identity, fileKey);
    expect(stanza.args[0]).toBe("sealtreetest");
  });

  it("gets grease, sees nothing of sealtree, and runs in the system's temporary folder", async () => {
    const plugin = installTestPlugin();
    await hostOf(plugin).wrapFileKey(key.recipient, fileKey);
    expect(plugin.starts()).toMatchObject([
      { own: [], directory: tmpdir(), commands: ["add-recipient", "grease", "wrap-file-key", "extension-labels"] },
    ]);
  });

  it("may leave an agent behind that holds its outputs open", async () => {
    const plugin = installTestPlugin("agent");
    const host = hostOf(plugin);
    await host.wrapFileKey(key.recipient, fileKey);
    await host.wrapFileKey(key.recipient, fileKey);
    expect(plugin.starts()).toHaveLength(2);
    writeFileSync(plugin.env["AGE_TEST_PLUGIN_WAIT"] ?? "", "");
  });

  it("gives the labels of its stanzas, and those that go with no other are refused in a keyring", async () => {
    expect((await wrapIn("")).labels).toEqual([]);
    expect((await wrapIn("labels postquantum test")).labels).toEqual(["postquantum", "test"]);
    const host = hostOf(installTestPlugin("labels test"));
    const work = encryptToRecipients([parseRecipient(key.recipient)], plaintext, "refused", async () => host);
    expect(await failureOf(work)).toMatchObject({ code: "E_PLUGIN_FAILED" });
  });
});

describe("calls at the same time", () => {
  it("share one process when they wrap for one recipient", async () => {
    const plugin = installTestPlugin();
    const host = hostOf(plugin);
    const keys = Array.from({ length: 50 }, (_, index) => Buffer.alloc(16, `test ${index}`));
    const stanzas = await Promise.all(keys.map(async (it) => await host.wrapFileKey(key.recipient, it)));
    expect(plugin.starts()).toMatchObject([{ machine: "recipient-v1", keys: 1, files: 50 }]);
    expect(new Set(stanzas.map(({ args }) => args.join(" "))).size).toBe(50);
  });

  it("share one process when they open with one identity, each with its own outcome", async () => {
    const plugin = installTestPlugin();
    const identities = parseIdentities(key.identity, async () => host);
    const host = hostOf(plugin);
    const files = Array.from({ length: 50 }, (_, index) => (index % 3 === 0 ? foreign : mine));
    const opened = await Promise.all(files.map(async (file) => await decryptWithIdentities(file, identities)));
    expect(opened.map((it) => it !== undefined)).toEqual(files.map((file) => file === mine));
    expect(plugin.starts()).toMatchObject([{ machine: "identity-v1", keys: 1, files: 2 }]);
  });

  it("take a process for each key, one after the other", async () => {
    const plugin = installTestPlugin();
    const host = hostOf(plugin);
    const work = [key.recipient, other.recipient, key.recipient].map(
      async (recipient) => await host.wrapFileKey(recipient, fileKey),
    );
    expect((await Promise.all(work)).map(({ args }) => args[1])).toHaveLength(3);
    expect(plugin.starts().map(({ files }) => files)).toEqual([2, 1]);
  });

  it("fail together when the plugin fails", async () => {
    const plugin = installTestPlugin("crash");
    const host = hostOf(plugin);
    const work = [1, 2, 3].map(async () => await failureOf(host.wrapFileKey(key.recipient, fileKey)));
    expect((await Promise.all(work)).map(({ code }) => code)).toEqual(Array(3).fill("E_PLUGIN_FAILED"));
    expect(plugin.starts()).toHaveLength(1);
  });
});

describe("a plugin that misbehaves", () => {
  it.each([
    ["crash", "age-plugin-sealtreetest: it ended early (exit 3)", ["it wrote: the test plugin crashes"]],
    ["garbage", "age-plugin-sealtreetest: it does not speak the age plugin protocol", []],
    ["chatter", "age-plugin-sealtreetest: it says more than any plugin has to say", []],
    ["long-line", "age-plugin-sealtreetest: one of its stanzas is too long", []],
    ["error", "age-plugin-sealtreetest: no [2Jcard [redacted]", []],
    ["error-then-crash", "age-plugin-sealtreetest: the card is gone", []],
    ["no-stanza", "age-plugin-sealtreetest: it gave no stanza for a recipient", []],
    ["two-stanzas", "age-plugin-sealtreetest: it gave more than one stanza for a recipient", []],
    ["wrong-file", "age-plugin-sealtreetest: it gave a malformed stanza", []],
  ])("fails a wrap: %s", async (mode, message, hints) => {
    expect(await failureOf(wrapIn(mode))).toMatchObject({ code: "E_PLUGIN_FAILED", message, hints });
  });

  it.each(["crash", "garbage", "error", "short-key", "two-keys", "error-stanza"])(
    "fits nothing, which is said when nothing else fits: %s",
    async (mode) => {
      const host = hostOf(installTestPlugin(mode));
      const classic = await generateIdentity("x25519");
      const identities = parseIdentities(`${key.identity}\n${classic.identity}`, async () => host);
      expect(await failureOf(decryptWithIdentities(mine, identities))).toMatchObject({ code: "E_PLUGIN_FAILED" });
      const theirs = await encryptToRecipients([classic.recipient], plaintext, "refused");
      expect(await decryptWithIdentities(theirs, identities)).toMatchObject({ stanza: 0, stanzaCount: 1 });
    },
  );

  it("fails the file it stumbled over, and no other", async () => {
    const host = hostOf(installTestPlugin("error-stanza"));
    const identities = parseIdentities(key.identity, async () => host);
    const files = [mine, await sealed(key.recipient, other.recipient)];
    const [first, second] = await Promise.allSettled(
      files.map(async (file) => await decryptWithIdentities(file, identities)),
    );
    expect([first?.status, second?.status]).toEqual(["rejected", "fulfilled"]);
  });

  it("is asked again after it failed", async () => {
    const plugin = installTestPlugin("error");
    const host = hostOf(plugin);
    const { header } = parseAgeFile(mine, 10_000);
    await failureOf(host.unwrapFileKey(key.identity, header));
    await failureOf(host.unwrapFileKey(key.identity, header));
    expect(plugin.starts()).toHaveLength(2);
  });
});

describe("a plugin that talks to a person", () => {
  it("shows messages without control characters", async () => {
    const said: string[] = [];
    await wrapIn("message", { say: (text) => void said.push(text) });
    expect(said).toEqual(["age-plugin-sealtreetest: touch the test key"]);
  });

  it("gets the answers to its questions", async () => {
    const asked: string[] = [];
    const answer = (text: string) => async (question: string) => {
      asked.push(question);
      return text;
    };
    await wrapIn("secret", { askHidden: answer("test-pin") });
    await wrapIn("public", { ask: answer("test-serial") });
    const confirm = async (question: string) => {
      asked.push(question);
      return true;
    };
    await wrapIn("confirm", { confirm });
    expect(asked).toEqual([
      "age-plugin-sealtreetest: test PIN: ",
      "age-plugin-sealtreetest: test serial number: ",
      "age-plugin-sealtreetest: use the test key? (yes: take the key, no: leave it)",
    ]);
    expect(await failureOf(wrapIn("confirm", { confirm: async () => false }))).toMatchObject({
      message: "age-plugin-sealtreetest: the answer was ok no",
    });
  });

  it.each(["secret", "public", "confirm"])("is told when nobody can be asked: %s", async (mode) => {
    expect(await failureOf(wrapIn(mode))).toMatchObject({ message: "age-plugin-sealtreetest: the answer was fail" });
  });

  it("ends when the person aborts", async () => {
    const askHidden = async () => {
      throw new SealtreeError("E_ABORTED", "aborted");
    };
    expect(await failureOf(wrapIn("secret", { askHidden }))).toMatchObject({ code: "E_ABORTED" });
  });

  it("may take its time, which the person is told", async () => {
    const plugin = installTestPlugin("wait");
    const said: string[] = [];
    const waiting = (text: string) => {
      said.push(text);
      writeFileSync(plugin.env["AGE_TEST_PLUGIN_WAIT"] ?? "", "");
    };
    await hostOf(plugin, { interaction: { waiting }, patienceMs: 1 }).wrapFileKey(key.recipient, fileKey);
    expect(said).toEqual(["waiting for age-plugin-sealtreetest..."]);
  });
});

describe("a plugin that only a recipient asks for", () => {
  it("is not started unless the user allowed it", async () => {
    const plugin = installTestPlugin();
    for (const allowed of [undefined, "", "other,sealtreetest2", "*"]) {
      const host = createPluginHost({ ...plugin.env, ...(allowed === undefined ? {} : { SEALTREE_PLUGINS: allowed }) });
      expect(await failureOf(host.wrapFileKey(key.recipient, fileKey))).toMatchObject({
        code: "E_PLUGIN_FAILED",
        hints: ["SEALTREE_PLUGINS=sealtreetest allows it"],
      });
    }
    expect(plugin.starts()).toEqual([]);
  });

  it("is started when the user has an identity of it", async () => {
    const host = createPluginHost(installTestPlugin().env, { own: async () => new Set(["sealtreetest"]) });
    expect(await host.wrapFileKey(key.recipient, fileKey)).toMatchObject({ labels: [] });
    const user = createPluginHost(installTestPlugin().env);
    await user.unwrapFileKey(key.identity, parseAgeFile(mine, 10_000).header);
    expect(await user.wrapFileKey(key.recipient, fileKey)).toMatchObject({ labels: [] });
  });
});

describe("the program of a plugin", () => {
  const repository = createRepository();
  const plugin = installTestPlugin();
  const inTree = join(repository.root, "node_modules", ".bin");
  mkdirSync(inTree, { recursive: true });
  writeTestPlugin(join(inTree, "age-plugin-sealtreetest"));
  const open = join(dirname(plugin.folder), "open-to-all");
  mkdirSync(open);
  writeTestPlugin(join(open, "age-plugin-sealtreetest"));
  chmodSync(open, 0o777);
  const linked = join(dirname(plugin.folder), "linked");
  mkdirSync(linked);
  symlinkSync(join(inTree, "age-plugin-sealtreetest"), join(linked, "age-plugin-sealtreetest"));
  const dead = join(dirname(plugin.folder), "dead");
  mkdirSync(join(dead, "age-plugin-sealtreetest"), { recursive: true });

  const wrapWithPath = async (...folders: string[]) =>
    await createPluginHost(
      { ...plugin.env, PATH: folders.join(delimiter), SEALTREE_PLUGINS: "sealtreetest" },
      { root: repository.root },
    ).wrapFileKey(key.recipient, fileKey);

  it.each([[inTree], [open], [linked]])("is not taken from %s", async (folder) => {
    expect(await failureOf(wrapWithPath(folder))).toMatchObject({
      message: "age-plugin-sealtreetest: the plugin is not found",
      hints: [expect.stringContaining("install"), expect.stringContaining("passed over")],
    });
    expect(await wrapWithPath(folder, plugin.folder)).toMatchObject({ labels: [] });
  });

  it("is looked for in no relative entry and no folder that is not a program", async () => {
    const before = process.cwd();
    process.chdir(plugin.folder);
    try {
      expect(await failureOf(wrapWithPath("", ".", "bin", dead))).toMatchObject({
        code: "E_PLUGIN_FAILED",
        hints: ["install age-plugin-sealtreetest, it must be in PATH"],
      });
    } finally {
      process.chdir(before);
    }
  });

  it("that cannot be started is a failure of the plugin", async () => {
    const broken = join(dirname(plugin.folder), "broken");
    mkdirSync(broken);
    writeFileSync(join(broken, "age-plugin-sealtreetest"), "#!/no/such/interpreter\n", { mode: 0o755 });
    expect(await failureOf(wrapWithPath(broken))).toMatchObject({
      code: "E_PLUGIN_FAILED",
      message: "age-plugin-sealtreetest: it cannot be started (ENOENT)",
    });
  });
});
