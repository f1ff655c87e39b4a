import { appendFileSync } from "node:fs";
import { errnoOf, SealtreeError, usageError } from "../errors.ts";
import type { Environment } from "../git/place.ts";

/** Where an annotation points to: `file` from the workspace's root, with `/`. */
export interface AnnotationPlace {
  readonly title?: string;
  readonly file?: string;
  readonly line?: number;
}

/** The job's runner, as docs.github.com "Workflow commands" has it. Nothing that is handed in is taken for a command. */
export interface Runner {
  /** Text from elsewhere, for the log. */
  print(text: string): void;
  /** The same for text that comes in pieces, until `end`. One at a time. */
  openBlock(): { write(chunk: string | Uint8Array): void; end(): void };
  annotate(level: "error" | "warning" | "notice", message: string, place?: AnnotationPlace): void;
  /** Has the runner show `***` for these texts from now on. */
  mask(texts: readonly string[]): void;
  /** Sets an output of this step. Throws E_VALUE_UNFIT for what the file command cannot hold. */
  setOutput(name: string, value: string): void;
  /** The same for several, by name: all or none. */
  setOutputs(values: ReadonlyMap<string, string>): void;
  /** Sets environment variables of the steps that follow, all or none. Throws as `setOutput`. */
  setVariables(values: ReadonlyMap<string, string>): void;
  /** What the post step finds as `STATE_<name>`. */
  saveState(name: string, value: string): void;
  /** Adds Markdown to the job summary; what does not fit is left out with a line that says so. */
  summarize(markdown: string): void;
}

export interface RunnerOptions {
  readonly env: Environment;
  /** Standard output, all of it: the runner reads standard error apart, in an order nobody knows. */
  readonly write: (chunk: string | Uint8Array) => void;
  readonly random: (size: number) => Uint8Array;
}

/** Of the 1 MiB that a step may add, with room for what is added later. */
const maxSummaryBytes = 900 * 1024;
const delimiterBytes = 16;

/** The runner of this process. Throws nothing itself; a file command throws E_USAGE where no job runs. */
export function createRunner({ env, write, random }: RunnerOptions): Runner {
  const newToken = () => `sealtree_${Buffer.from(random(delimiterBytes)).toString("hex")}`;
  let summaryBytes = 0;

  const append = (variable: string, text: string) => {
    const path = env[variable];
    if (path === undefined || path === "") {
      throw usageError(`${variable} is not set, so this is no step of a job`, "the Action runs in GitHub Actions only");
    }
    try {
      appendFileSync(path, text);
    } catch (error) {
      throw new SealtreeError(
        "E_IO",
        `the file of ${variable} cannot be written (${errnoOf(error) ?? "unknown error"})`,
        {
          hints: ["check the runner: space, permissions"],
          cause: error,
        },
      );
    }
  };
  const appendPairs = (variable: string, values: ReadonlyMap<string, string>) => {
    const delimiter = newToken();
    const pairs = [...values].map(([name, value]) => printPair(name, value, delimiter));
    if (pairs.length > 0) append(variable, pairs.join(""));
  };
  const printPair = (name: string, value: string, delimiter: string) => {
    if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name)) throw unfit("a name", "has characters that a runner does not take");
    if (value.includes("\0")) throw unfit(name, "has a NUL");
    if (name.includes(delimiter) || value.includes(delimiter)) throw unfit(name, "holds the delimiter of its file");
    return `${name}<<${delimiter}\n${value}\n${delimiter}\n`;
  };
  const openBlock: Runner["openBlock"] = () => {
    const token = newToken();
    let endsLine = true;
    write(`::stop-commands::${token}\n`);
    return {
      write(chunk) {
        if (chunk.length === 0) return;
        endsLine = typeof chunk === "string" ? chunk.endsWith("\n") : chunk.at(-1) === 0x0a;
        write(chunk);
      },
      end: () => write(`${endsLine ? "" : "\n"}::${token}::\n`),
    };
  };

  return {
    openBlock,
    print(text) {
      if (text === "") return;
      const block = openBlock();
      block.write(text);
      block.end();
    },
    annotate(level, message, place = {}) {
      const { file, line, title } = place;
      const properties = Object.entries({ file, line, title }).flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${escapeProperty(String(value))}`],
      );
      write(`::${level}${properties.length === 0 ? "" : ` ${properties.join(",")}`}::${escapeData(message)}\n`);
    },
    mask(texts) {
      if (texts.length > 0) write(texts.map((text) => `::add-mask::${escapeData(text)}\n`).join(""));
    },
    setOutput: (name, value) => appendPairs("GITHUB_OUTPUT", new Map([[name, value]])),
    setOutputs: (values) => appendPairs("GITHUB_OUTPUT", values),
    setVariables: (values) => appendPairs("GITHUB_ENV", values),
    saveState: (name, value) => appendPairs("GITHUB_STATE", new Map([[name, value]])),
    summarize(markdown) {
      const size = Buffer.byteLength(markdown) + 1;
      const fits = summaryBytes + size <= maxSummaryBytes;
      if (fits) summaryBytes += size;
      append("GITHUB_STEP_SUMMARY", fits ? `${markdown}\n` : "\nThe report is too long for a job summary.\n");
    },
  };
}

function unfit(what: string, why: string): SealtreeError {
  return new SealtreeError("E_VALUE_UNFIT", `${what} ${why}, so it cannot be handed to the runner`, {
    hints: ["take to: file, or leave it out with the input only"],
  });
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
