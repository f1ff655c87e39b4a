import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Session } from "../../src/access/session.ts";
import { loadIdentities } from "../../src/identity/load.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { editScope, type EditOutcome } from "../../src/values/edit-session.ts";
import { withPrivateFolder } from "../../src/values/private-folder.ts";
import { builtBin } from "../support/build.ts";
import { scriptEditor, type ScriptedEditor } from "../support/editor.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

const scope = parseScopePath("dev/app");

describe("editing with reopening", () => {
  it("opens again with the mistake in the first line and the text as it was left", async () => {
    const repository = await repositoryWith({ API_KEY: "old-test-value" });
    const editor = scriptEditor(
      `printf '# mine\\nBROKEN\\n' >> "$1"`,
      `sed -i -e '/^BROKEN/d' -e '/^# mine/d' -e 's/old-test/new-test/' "$1"`,
    );
    expect((await edit(repository, editor)).kind).toBe("written");
    const [first = "", ...rest] = editor.seen(2).split("\n");
    expect(first).toMatch(/^#\| error: line \d+: /);
    expect(first).not.toContain("BROKEN");
    expect(rest.join("\n")).toBe(`${editor.seen(1)}# mine\nBROKEN\n`);
    expect(rest[lineIn(first) - 2]).toMatch(/BROKEN|mine/);
    expect(await valuesOf(repository)).toEqual({ API_KEY: "new-test-value" });
  });

  it("shows one mistake at a time, with the line as it stands in the new text", async () => {
    const repository = await repositoryWith({ API_KEY: "old-test-value" });
    const editor = scriptEditor(`echo 'A: [1]' >> "$1"`, `sed -i 's/^A:.*/B: {}/' "$1"`, `sed -i '/^B:/d' "$1"`);
    expect((await edit(repository, editor)).kind).toBe("unchanged");
    for (const [time, wrong] of [
      [2, "A: [1]"],
      [3, "B: {}"],
    ] as const) {
      const lines = editor.seen(time).split("\n");
      expect(lines.filter((line) => line.startsWith("#| error:"))).toHaveLength(1);
      expect(lines[lineIn(lines[0] ?? "") - 1]).toBe(wrong);
    }
  });

  it("gives up with the mistake when the text comes back as it was shown", async () => {
    const repository = await repositoryWith({ API_KEY: "old-test-value" });
    const editor = scriptEditor(`echo 'A: [1]' >> "$1"`, ":");
    await expect(edit(repository, editor)).rejects.toMatchObject({ code: "E_INPUT_INVALID" });
    expect(editor.times()).toBe(2);
    expect(await valuesOf(repository)).toEqual({ API_KEY: "old-test-value" });
  });

  it("leaves nothing behind in memory, whatever happens", async () => {
    const repository = await repositoryWith({ API_KEY: "old-test-value" });
    for (const step of [":", "exit 1", `rm "$1"`, `echo 'A: [1]' >> "$1"; touch "$1.bak"`]) {
      const editor = scriptEditor(step, ":");
      await edit(repository, editor).catch(() => undefined);
      expect(editor.times()).toBeGreaterThan(0);
      expect(readdirSync(editor.runtime)).toEqual([]);
    }
  });
});

describe("editing what somebody else writes meanwhile", () => {
  it("keeps their change of a secret that the user did not touch", async () => {
    const repository = await repositoryWith({ MINE: "old-mine", THEIRS: "old-theirs" });
    const theirs = somebodySets(repository, "THEIRS", "new-theirs");
    await edit(repository, scriptEditor(`${theirs}\nsed -i 's/old-mine/new-mine/' "$1"`));
    expect(await valuesOf(repository)).toEqual({ MINE: "new-mine", THEIRS: "new-theirs" });
  });

  it("does not write over their change of the same secret, and shows the user's text again", async () => {
    const repository = await repositoryWith({ MINE: "old-mine" });
    const theirs = somebodySets(repository, "MINE", "their-mine");
    const editor = scriptEditor(`${theirs}\nsed -i 's/old-mine/new-mine/' "$1"`, ":");
    await expect(edit(repository, editor)).rejects.toMatchObject({ code: "E_RACED" });
    expect(editor.seen(2)).toContain("MINE: new-mine");
    expect(await valuesOf(repository)).toEqual({ MINE: "their-mine" });
  });

  it("writes over it only once the user takes the warning out", async () => {
    const repository = await repositoryWith({ MINE: "old-mine" });
    const theirs = somebodySets(repository, "MINE", "their-mine");
    const editor = scriptEditor(
      `${theirs}\nsed -i 's/old-mine/new-mine/' "$1"`,
      `sed -i 's/new-mine/newer-mine/' "$1"`,
      `sed -i '/^#| error:/d' "$1"`,
    );
    expect((await edit(repository, editor)).kind).toBe("written");
    expect(editor.times()).toBe(3);
    expect(await valuesOf(repository)).toEqual({ MINE: "newer-mine" });
  });
});

function lineIn(heading: string): number {
  return Number(/line (\d+)/.exec(heading)?.[1]);
}

async function repositoryWith(values: Readonly<Record<string, string>>): Promise<TestRepository> {
  const repository = await createSealedRepository();
  const stdin = JSON.stringify(values);
  await repository.ok(["import", scope, "--format", "json", "--yes"], { stdin });
  return repository;
}

/** A line of an editor's script in which somebody else sets a value. */
function somebodySets(repository: TestRepository, name: string, value: string): string {
  return `printf %s '${value}' | '${process.execPath}' '${builtBin}' -C '${repository.root}' set ${scope}/${name} --stdin 2>/dev/null`;
}

async function edit(repository: TestRepository, editor: ScriptedEditor): Promise<EditOutcome> {
  const env = { PATH: process.env["PATH"], ...repository.env, ...editor.env };
  const session: Session = {
    place: { root: repository.root, env },
    random: (size) => randomBytes(size),
    now: () => new Date(),
    identities: async () => (await loadIdentities({ env })).identities,
    plugins: () => Promise.reject(new Error("no plugin here")),
  };
  return await withPrivateFolder(env, process, (folder) =>
    editScope(session, scope, folder, {
      commit: true,
      dryRun: false,
      editor: { env, signals: process, stdin: "other" },
      onMistake: "reopen",
    }),
  );
}

async function valuesOf(repository: TestRepository): Promise<Record<string, unknown>> {
  return (await repository.ok(["export", scope, "--format", "json"])).json();
}
