import { explainRule, type ExplainedField, type RuleSource } from "../../rotation/explain-rule.ts";
import { printAddress, type Address } from "../../secret/address.ts";
import type { CommandModule } from "../command.ts";
import { fitTable, type Column } from "../fit-table.ts";
import { count, table } from "../present.ts";
import { filterOptions, readFilteredStatus } from "../rotation-filter.ts";
import { safeText } from "../safe-text.ts";

const shownFields = ["rotator", "interval", "at", "notice", "grace", "rollback", "owner"] as const;
/** In the order in which they go where there is no room. */
const spare = ["at", "grace", "rollback", "type", "notice", "owner"] as const;
/** How the table says where a field is from. */
const marks = { secret: "", type: "·t", defaults: "·d", "built in": "·b" } as const satisfies Record<
  RuleSource,
  string
>;

export const rotationRules: CommandModule = {
  arguments: "[address-or-scope]",
  kind: "read",
  description:
    "Says which rule of policies/rotation.yaml holds for which secret, and where each field of it is from: the secret itself, its type, the defaults, or what is built in. Of one secret, every field. Needs no key.",
  options: [...filterOptions],
  examples: [
    { command: "sealtree rotation rules prod", description: "the rules of production" },
    { command: "sealtree rotation rules prod/db/PASSWORD", description: "why it has that interval" },
    { command: "sealtree rotation rules --state no-rule", description: "what is never rotated" },
  ],
  json: '{"secrets": [{"address", "type"|null, "rule": {field: {"text", "from": "secret"|"type"|"defaults"|"built in"}}|null}]}',
  async run(context, [text], options) {
    context.about({ operation: "rotation rules" });
    const { entries, policy, address, unreadable } = await readFilteredStatus(context, text, options);
    const rules = entries.map((entry) => ({ ...entry, fields: explainRule(policy, entry.address) }));
    const [only] = rules;
    if (context.options.json) {
      context.json({
        secrets: rules.map(({ address: of, rule, fields }) => ({
          address: printAddress(of),
          type: rule?.type ?? null,
          rule:
            fields === undefined
              ? null
              : Object.fromEntries(
                  fields.map(({ field, text: value, source }) => [field, { text: value, from: source }]),
                ),
        })),
      });
    } else if (address !== undefined && only?.fields !== undefined) {
      const rows = only.fields.map(({ field, text: value, source }) => [
        field,
        value,
        source === "type" ? `type ${only.rule?.type ?? ""}` : source,
      ]);
      for (const line of table([["FIELD", "VALUE", "FROM"], ...rows])) context.line(safeText(line));
    } else {
      if (rules.length > 0) {
        for (const line of fitTable(tableColumns, rules, context.io.stdout)) context.line(safeText(line));
        context.say("from the secret itself, ·t its type, ·d the defaults, ·b built in");
      }
      const without = rules.filter(({ fields }) => fields === undefined).length;
      context.say(`${count(rules.length, "secret")}, ${without} without a rule`);
    }
    const [broken] = unreadable;
    if (broken !== undefined) throw broken.error;
  },
};

interface RuledSecret {
  readonly address: Address;
  readonly rule: { readonly type: string | undefined } | undefined;
  readonly fields: readonly ExplainedField[] | undefined;
}

const tableColumns: readonly Column<RuledSecret>[] = [
  { head: "SECRET", cell: ({ address }) => printAddress(address) },
  {
    head: "TYPE",
    goes: spare.indexOf("type"),
    cell: ({ rule }) => (rule === undefined ? "no rule" : (rule.type ?? "")),
  },
  ...shownFields.map((name) => ({
    head: name.toUpperCase(),
    ...goesWhen(name),
    cell: ({ fields = [] }: RuledSecret) => printCell(fields, name),
  })),
];

function goesWhen(name: string): { readonly goes?: number } {
  const goes = spare.findIndex((other) => other === name);
  return goes < 0 ? {} : { goes };
}

function printCell(fields: readonly ExplainedField[], name: string): string {
  const found = fields.find(({ field }) => field === name);
  return found === undefined ? "" : `${found.text}${marks[found.source]}`;
}
