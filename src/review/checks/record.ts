import { findingOf } from "../../store/finding-of.ts";
import type { Rule } from "../rule.ts";

export const record: Rule = {
  name: "record",
  describe: "Every record is whole: it has a header, a salt, a commitment and a tag, and one of the lengths there are.",
  checkScope({ file, recordProblems }) {
    return recordProblems.map(({ error, line }) => findingOf("record", error, { file, line }));
  },
};
