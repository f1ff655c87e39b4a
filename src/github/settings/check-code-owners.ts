import { z } from "zod";
import { linesAfterBlock, replaceMarkedBlock } from "../../store/marked-block.ts";
import { askSetting, findingOfUntold, isUntold } from "./ask.ts";
import { askFile } from "./contents.ts";
import { settingMissing, settingOk, type SettingFinding } from "./finding.ts";
import type { Inspection } from "./inspection.ts";

const path = ".github/CODEOWNERS";
const mistakes = z.object({ errors: z.array(z.object({ line: z.int(), path: z.string() })) });

/**
 * Whether the file of code owners on the default branch is what the policy asks for. Those lines cover
 * secrets/, policies/ and .github/ with the file itself, so it is enough to compare them.
 */
export async function checkCodeowners(inspection: Inspection): Promise<SettingFinding[]> {
  const { repository, facts } = inspection;
  const text = await askFile(repository, facts.default_branch, path);
  if (isUntold(text)) {
    return (["codeowners-file", "codeowners-errors", "codeowners-order"] as const).map((it) =>
      findingOfUntold(it, text),
    );
  }
  if (text.kind === "none") {
    return [
      settingMissing("codeowners-file", `${path} is not on the default branch`, "sealtree codeowners, and merge it"),
    ];
  }
  return [compare(inspection, text.value), await askMistakes(inspection), checkOrder(text.value)];
}

function compare({ wants }: Inspection, text: string): SettingFinding {
  const rule = "codeowners-file";
  const { codeowners } = wants;
  if ("problem" in codeowners) return settingMissing(rule, codeowners.problem, codeowners.hint);
  const same = replaceMarkedBlock(text, codeowners.block) === text;
  return same
    ? settingOk(rule, "the file is what the policy asks for")
    : settingMissing(
        rule,
        `${path} on the default branch is not what the policy here asks for`,
        "sealtree codeowners, and merge it",
      );
}

async function askMistakes({ repository, facts, place }: Inspection): Promise<SettingFinding> {
  const rule = "codeowners-errors";
  const asked = await askSetting(repository, {
    path: ["codeowners", "errors"],
    query: { ref: facts.default_branch },
    schema: mistakes,
    right: "Contents: read",
    isNone: () => true,
  });
  if (isUntold(asked)) return findingOfUntold(rule, asked);
  if (asked.kind === "none")
    return settingMissing(rule, `GitHub reads no ${path}`, "sealtree codeowners, and merge it");
  const lines = [...new Set(asked.value.errors.map(({ line }) => line))];
  if (lines.length === 0) return settingOk(rule, "GitHub finds no mistake in it");
  const shown = `${lines.slice(0, 10).join(", ")}${lines.length > 10 ? ", ..." : ""}`;
  return settingMissing(
    rule,
    `GitHub leaves out line ${shown}: an owner that is not there or may not write, or a pattern that is none`,
    `look at ${place.page(`blob/${encodeURIComponent(facts.default_branch)}/${path}`)}, then change github: in the policy, or give the member access`,
  );
}

function checkOrder(text: string): SettingFinding {
  const rule = "codeowners-order";
  const after = linesAfterBlock(text);
  return after.length === 0
    ? settingOk(rule, "no line after those of sealtree")
    : settingMissing(
        rule,
        `${after.length === 1 ? "a line stands" : `${after.length} lines stand`} after those of sealtree, and where one matches, it wins`,
        `move the lines of ${path} that are not ours above ours`,
      );
}
