import type { Finding } from "../../store/finding.ts";
import { attributesPath, modulesPath, policiesDirectory, secretsDirectory } from "../../store/layout.ts";
import { parseAttributes, type AttributeLine } from "../attribute-file.ts";
import type { Rule } from "../rule.ts";

type Setting = string | boolean | undefined;

/** What an attribute may not be on our files, and what it would do. */
const harms: readonly {
  readonly name: string;
  readonly severity: Finding["severity"];
  readonly isHarmful: (value: Setting) => boolean;
  readonly harm: string;
}[] = [
  { name: "filter", severity: "error", isHarmful: isText, harm: "lets a program rewrite them" },
  { name: "ident", severity: "error", isHarmful: (value) => value === true, harm: "lets git rewrite them" },
  {
    name: "working-tree-encoding",
    severity: "error",
    isHarmful: (value) => isText(value) && value.toLowerCase() !== "utf-8",
    harm: "lets git rewrite them",
  },
  {
    name: "eol",
    severity: "error",
    isHarmful: (value) => value === "crlf",
    harm: "gives them line ends that are refused",
  },
  {
    name: "merge",
    severity: "error",
    isHarmful: (value) => isText(value) && !["sealtree", "binary", "text"].includes(value),
    harm: "lets another driver merge them",
  },
  {
    name: "diff",
    severity: "warning",
    isHarmful: (value) => isText(value) && value !== "sealtree",
    harm: "lets a program of somebody's settings show them",
  },
];

/** Most lines that are judged; a file with more is itself the finding. */
const maxLines = 1000;
/** Files of each kind, for a tree that has none yet. */
const samples = [
  `${secretsDirectory}/dev/app.yaml`,
  `${secretsDirectory}/dev/app.keys/${"0".repeat(32)}.yaml`,
  `${secretsDirectory}/dev/app.rotation/NAME.yaml`,
  `${policiesDirectory}/access.yaml`,
  `${policiesDirectory}/members/alice.pub`,
];

export const hostileAttributes: Rule = {
  name: "hostile-attributes",
  describe:
    "No line of a .gitattributes gives our files a filter, an encoding, line ends, or a merge or diff driver other than ours, and no submodule stands in our folders.",
  checkTree({ gitFiles, paths }) {
    const macros = new Map([["binary", "-diff -merge -text"]]);
    const attributes = [...gitFiles].filter(([file]) => file !== modulesPath);
    const lines = attributes.flatMap(([file, text]) => parseAttributes(text, file, macros));
    const all = lines.filter(({ settings }) => harms.some(({ name }) => settings.has(name)));
    return [
      ...all.slice(maxLines, maxLines + 1).map(({ file, line }) => report(file, line, "error", tooMany)),
      ...findHarmful(all.slice(0, maxLines), [...samples, ...paths]),
      ...findModules(gitFiles.get(modulesPath) ?? ""),
    ];
  },
};

const tooMany = "from here on there are too many lines to judge";

function findHarmful(lines: readonly AttributeLine[], paths: readonly string[]): Finding[] {
  return harms.flatMap(({ name, severity, isHarmful, harm }) => {
    const setters = lines.filter(({ settings }) => settings.has(name));
    return setters
      .filter((line, index) => {
        if (!isHarmful(line.settings.get(name))) return false;
        // The last line that matches decides, so a later one may take the harm away.
        const later = setters.slice(index + 1);
        return paths.some((path) => line.matches(path) && !later.some((other) => other.matches(path)));
      })
      .map(({ file, line }) => report(file, line, severity, `it sets ${name} on files of sealtree, which ${harm}`));
  });
}

function findModules(text: string): Finding[] {
  return text.split("\n").flatMap((written, index) => {
    const path = /^\s*path\s*=\s*"?(.*?)"?\s*$/i
      .exec(written)?.[1]
      ?.toLowerCase()
      .replaceAll(/\/{2,}|\/(?:\.\/)+/g, "/");
    const isOurs = [secretsDirectory, policiesDirectory].some(
      (folder) => path?.replace(/^\.\//, "").replace(/\/$/, "").concat("/").startsWith(`${folder}/`) === true,
    );
    return isOurs ? [report(modulesPath, index + 1, "error", "a submodule stands among the files of sealtree")] : [];
  });
}

function report(file: string, line: number, severity: Finding["severity"], message: string): Finding {
  const hint =
    file === attributesPath
      ? "narrow its pattern, or put it above the lines of sealtree git-setup"
      : "take it out; nothing but sealtree's own files belongs there";
  return { rule: "hostile-attributes", severity, message, file, line, hint };
}

function isText(value: Setting): value is string {
  return typeof value === "string";
}
