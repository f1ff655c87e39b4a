import { exitCodes } from "../../errors.ts";
import type { Diagnosis } from "../../review/diagnosis.ts";
import { diagnose } from "../../review/doctor.ts";
import type { CommandModule } from "../command.ts";
import { count, table, type Style } from "../present.ts";
import { safeText } from "../safe-text.ts";

const styles = { ok: "green", warn: "yellow", fail: "red" } as const satisfies Record<Diagnosis["status"], Style>;

export const doctor: CommandModule = {
  arguments: "",
  kind: "plain",
  description:
    "Looks at everything sealtree needs around it: Node, git, your identities and who may read their files, the repository, its policy, the merge driver, and what killed commands left behind. Changes nothing, and says what to type. Exits with 1 when something does not work.",
  options: [],
  examples: [
    { command: "sealtree doctor", description: "when something does not work" },
    { command: "sealtree doctor --json", description: "for a report of a bug; it holds no key and no value" },
  ],
  json: '{"checks": [{"name", "status": "ok"|"warn"|"fail", "message", "fix"|null}], "failed": number, "warned": number}',
  async run(context) {
    context.about({ operation: "doctor" });
    const { directory, session, io } = context;
    const checks = await diagnose({ directory, session, env: io.env, self: io.self });
    const failed = checks.filter(({ status }) => status === "fail").length;
    const warned = checks.filter(({ status }) => status === "warn").length;
    if (context.options.json) {
      context.json({ checks: checks.map(({ fix, ...rest }) => ({ ...rest, fix: fix ?? null })), failed, warned });
      return failed > 0 ? exitCodes.found : exitCodes.ok;
    }
    const rows = table(
      checks.map(({ name, status, message }) => [
        context.paint(styles[status], status.padEnd(4)),
        name,
        safeText(message),
      ]),
    );
    for (const [index, row] of rows.entries()) {
      context.line(row);
      const fix = checks[index]?.fix;
      if (fix !== undefined) context.line(context.paint("cyan", `      ${safeText(fix)}`));
    }
    context.say(failed + warned === 0 ? "all is well" : `${count(failed, "problem")}, ${count(warned, "warning")}`);
    return failed > 0 ? exitCodes.found : exitCodes.ok;
  },
};
