import { parseDotenv, printDotenv } from "./dotenv-text.ts";
import { printCompose } from "./compose-text.ts";
import { printDocker } from "./docker-text.ts";
import { printGithub } from "./github-text.ts";
import { parseJson, printJson } from "./json-text.ts";
import { printShell } from "./shell-text.ts";
import { printSystemd } from "./systemd-text.ts";
import type { TextFormat } from "./text-format.ts";
import { parseYaml, printYaml } from "./yaml-text.ts";

/** Every text format by the name `--format` takes. */
export const textFormats = {
  dotenv: { describe: ".env files", parse: parseDotenv, print: printDotenv },
  json: { describe: "a flat JSON object", parse: parseJson, print: printJson },
  yaml: { describe: "a flat YAML map", parse: parseYaml, print: printYaml },
  shell: { describe: "export lines for a POSIX shell", print: printShell },
  docker: { describe: "docker run --env-file", print: printDocker },
  compose: { describe: "env_file of Docker Compose", print: printCompose },
  systemd: { describe: "systemd EnvironmentFile", print: printSystemd },
  github: { describe: "GitHub Actions $GITHUB_ENV", print: printGithub },
} as const satisfies Record<string, TextFormat>;

export type TextFormatName = keyof typeof textFormats;

/** True for a name in {@link textFormats}. */
export function isTextFormatName(name: string): name is TextFormatName {
  return Object.hasOwn(textFormats, name);
}
