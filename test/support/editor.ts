import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeThrowAway } from "./throw-away.ts";

/** An editor that plays a script each time it is opened, and remembers the text it was given. */
export interface ScriptedEditor {
  /** For EDITOR and XDG_RUNTIME_DIR. */
  readonly env: Readonly<Record<string, string>>;
  /** The folder in memory that plaintext is put into. */
  readonly runtime: string;
  /** The text of the `time`th opening, from 1. */
  seen(time: number): string;
  /** How often it was opened. */
  times(): number;
}

/** Each step is a shell script whose `$1` is the file. It is an error to open the editor more often. */
export function scriptEditor(...steps: string[]): ScriptedEditor {
  const runtime = makeThrowAway("sealtree-test-", existsSync("/dev/shm") ? "/dev/shm" : tmpdir());
  const folder = makeThrowAway("sealtree-editor-");
  mkdirSync(join(folder, "seen"));
  for (const [index, step] of steps.entries()) writeFileSync(join(folder, `step-${index + 1}.sh`), step);
  writeFileSync(
    join(folder, "editor.sh"),
    `cd '${folder}'\ntime=$(($(ls seen | wc -l) + 1))\ncp "$1" seen/$time\n. ./step-$time.sh\n`,
  );
  return {
    env: { EDITOR: `sh '${folder}/editor.sh'`, XDG_RUNTIME_DIR: runtime },
    runtime,
    seen: (time) => readFileSync(join(folder, "seen", String(time)), "utf8"),
    times() {
      for (let time = 0; ; time++) if (!existsSync(join(folder, "seen", String(time + 1)))) return time;
    },
  };
}
