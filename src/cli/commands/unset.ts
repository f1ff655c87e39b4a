import { parseAddress, printAddress } from "../../secret/address.ts";
import { writeValues } from "../../values/write-values.ts";
import type { CommandModule } from "../command.ts";
import { reportWrite } from "../report-write.ts";
import { requireSecret } from "../require-secret.ts";

export const unset: CommandModule = {
  arguments: "<address>",
  kind: "write",
  description:
    "Removes a secret from its scope. Its versions stay in the history: sealtree rollback brings one back. Removing it here does not end it at its provider.",
  options: [],
  examples: [
    { command: "sealtree unset prod/api/OLD_KEY", description: "asks first" },
    { command: "sealtree unset prod/api/OLD_KEY --yes --reason 'service is gone'", description: "in a script" },
  ],
  json: '{"scope", "removed": [name], "commit": id|null, "dry_run": boolean}',
  async run(context, [text = ""]) {
    const address = parseAddress(text);
    context.about({ operation: "unset", ...address });
    await requireSecret(context, address);
    await context.confirm(`remove ${printAddress(address)}?`);
    const outcome = await writeValues(
      context.session,
      { ...context.options, verb: "unset", reason: "manual", note: context.options.note },
      () =>
        Promise.resolve([{ scope: address.scope, changes: new Map([[address.name, { action: "unset" as const }]]) }]),
    );
    await reportWrite(context, outcome, { operation: "unset", kind: "deleted" });
  },
};
