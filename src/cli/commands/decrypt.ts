import { isDrop } from "../../crypto/sealed-header.ts";
import { parseScopePath } from "../../secret/address.ts";
import { printCommentedYaml } from "../../values/commented-yaml.ts";
import { openScope } from "../../values/open-scope.ts";
import type { SelectedSecret } from "../../values/select-secrets.ts";
import { auditReads } from "../audit-reads.ts";
import type { CommandModule } from "../command.ts";
import { confirmPlaintext, writePlaintext } from "../confirm-plaintext.ts";
import { count } from "../present.ts";
import { valueJson } from "../value-json.ts";

export const decrypt: CommandModule = {
  arguments: "<scope>",
  kind: "read",
  description:
    "Prints a whole scope as YAML in plaintext, comments included. sealtree encrypt makes the same scope of it again, byte for byte.",
  options: [{ flags: "-y, --yes", description: "do not ask" }],
  examples: [
    { command: "sealtree decrypt prod/api --yes > /dev/shm/api.yaml", description: "a whole scope" },
    { command: "sealtree decrypt prod/api --at v1.4.0 --yes", description: "as it was at a tag" },
  ],
  json: '{"scope", "secrets": [{"name", "comments": [line], "value" (text) or "value_base64" (binary)}]}',
  async run(context, [text = ""]) {
    const scope = parseScopePath(text);
    context.about({ operation: "decrypt", scope });
    const opened = await openScope(await context.tree(), scope, await context.session.identities());
    const entries = await opened.openAll();
    const comments = new Map([...opened.entries].map(([name, entry]) => [name, entry.comments]));
    const selected: SelectedSecret[] = [];
    for (const [name, secret] of entries) {
      const record = opened.entries.get(name)?.record ?? "";
      selected.push({
        address: { scope, name },
        secret,
        reader: await opened.readerOf(record),
        isDrop: isDrop(record),
      });
    }
    await confirmPlaintext(context, count(entries.size, "value"));
    auditReads(context, "decrypt", selected);
    if (context.options.json) {
      const secrets = [...entries].map(([name, secret]) => ({
        name,
        comments: comments.get(name),
        ...valueJson(secret),
      }));
      context.json({ scope, secrets });
      return;
    }
    writePlaintext(context, printCommentedYaml(entries, comments));
  },
};
