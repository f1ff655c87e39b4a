import { settingMissing, settingOk, settingUnknown, type SettingFinding } from "./finding.ts";
import type { Inspection } from "./inspection.ts";

const analysis = {
  "secret-scanning": {
    field: "secret_scanning",
    ok: "GitHub looks for credentials in the open",
    missing: "GitHub does not look for credentials that were committed in the open",
  },
  "push-protection": {
    field: "secret_scanning_push_protection",
    ok: "GitHub refuses pushes with credentials in the open",
    missing: "GitHub does not refuse pushes with credentials in the open",
  },
} as const;

/** What is said of the repository as a whole. */
export function checkRepository({ facts, place }: Inspection): SettingFinding[] {
  const archived = facts.archived
    ? settingMissing(
        "repository-archived",
        "the repository is archived: nothing can be rotated",
        place.gh("repo unarchive").replace(" --repo", ""),
      )
    : settingOk("repository-archived", "the repository is not archived");
  const found = facts.security_and_analysis ?? undefined;
  const scans = (["secret-scanning", "push-protection"] as const).map((rule) => {
    const { field, ok, missing } = analysis[rule];
    if (found === undefined) {
      return settingUnknown(rule, "not known: the token may not see it (Administration: read)", "ask an administrator");
    }
    if (found[field]?.status === "enabled") return settingOk(rule, ok);
    const hint = place
      .api("", `--method PATCH -f 'security_and_analysis[${field}][status]=enabled'`)
      .replace(/\/$/, "");
    return settingMissing(rule, missing, hint);
  });
  return [archived, ...scans];
}
