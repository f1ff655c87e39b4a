import { bodyLineChars, parseStanzaLines, stanzaLines, type Stanza } from "../crypto/age-header.ts";
import { hasCode } from "../errors.ts";
import { pluginFailed } from "./plugin-failure.ts";

/** How much a plugin may say. */
export interface FrameLimits {
  /** Longest stanza in bytes, as written. */
  readonly maxStanzaBytes: number;
  /** All that it may write in one run, in bytes. */
  readonly maxTotalBytes: number;
}

/** Makes stanzas of bytes that come in pieces of any size (C2SP age-plugin.md, "IPC protocol"). */
export interface FrameReader {
  /** The stanzas that are complete with this piece. Throws E_PLUGIN_FAILED for anything but stanzas, and beyond the limits. */
  push(piece: Uint8Array): Stanza[];
}

const newline = 0x0a;

/** A reader of what the plugin `name` writes. */
export function createFrameReader(name: string, limits: FrameLimits): FrameReader {
  let total = 0;
  let held: Uint8Array[] = [];
  let lines: string[] = [];
  let stanzaBytes = 0;

  const endLine = (): Stanza | undefined => {
    const line = Buffer.concat(held).toString("latin1");
    held = [];
    lines.push(line);
    if (lines.length > 1 && line.length === bodyLineChars) return undefined;
    if (lines.length === 1 && line.startsWith("-> ")) return undefined;
    const stanza = parseFrame(name, lines);
    lines = [];
    stanzaBytes = 0;
    return stanza;
  };

  return {
    push(piece) {
      const stanzas: Stanza[] = [];
      total += piece.length;
      if (total > limits.maxTotalBytes) throw pluginFailed(name, "it says more than any plugin has to say");
      for (let rest = piece; rest.length > 0;) {
        const end = rest.indexOf(newline);
        const part = end < 0 ? rest : rest.subarray(0, end);
        stanzaBytes += part.length;
        if (stanzaBytes > limits.maxStanzaBytes) throw pluginFailed(name, "one of its stanzas is too long");
        held.push(part);
        if (end < 0) break;
        const stanza = endLine();
        if (stanza !== undefined) stanzas.push(stanza);
        rest = rest.subarray(end + 1);
      }
      return stanzas;
    },
  };
}

/** A stanza as it is written to a plugin. */
export function printFrame(args: readonly string[], body: Uint8Array = new Uint8Array(0)): string {
  return `${stanzaLines({ args, body }).join("\n")}\n`;
}

function parseFrame(name: string, lines: readonly string[]): Stanza {
  const [first = "", ...rest] = lines;
  const body = rest.values();
  try {
    return parseStanzaLines(first, () => body.next().value ?? "");
  } catch (error) {
    if (hasCode(error, "E_AGE_MALFORMED")) throw pluginFailed(name, "it does not speak the age plugin protocol");
    throw error;
  }
}

/** The number of a file as plugins write it; undefined unless it is below `files`. */
export function findFileIndex(text: string | undefined, files: number): number | undefined {
  const index = /^(?:0|[1-9]\d{0,8})$/.test(text ?? "") ? Number(text) : files;
  return index < files ? index : undefined;
}
