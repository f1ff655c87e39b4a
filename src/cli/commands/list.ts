import { readSealedHeader } from "../../crypto/sealed-header.ts";
import { isScopePath, parseScopePath, type ScopePath } from "../../secret/address.ts";
import { listScopes, readScope } from "../../store/keyring.ts";
import type { ScopeEntry } from "../../store/scope-file.ts";
import { scopeNotFound } from "../../values/not-found.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count, relativeTime, table } from "../present.ts";

export const list: CommandModule = {
  arguments: "[scope]",
  kind: "read",
  description:
    "Lists the scopes, or the secrets of a scope and of the scopes below it, with the age of each value. Needs no key and never prints a value.",
  options: [],
  examples: [
    { command: "sealtree list", description: "all scopes" },
    { command: "sealtree list prod/api --json", description: "names and ages, for a script" },
  ],
  json: '{"scopes": [{"scope", "secrets": number}]} or for a scope {"scope", "secrets": [{"name", "address", "set_at", "value_id", "generation": id|null, "is_drop": boolean}]}',
  async run(context, [text]) {
    context.about({ operation: "list" });
    if (text === undefined) await listAll(context);
    else await listOne(context, parseScopePath(text));
  },
};

async function listAll(context: Context): Promise<void> {
  const tree = await context.tree();
  const rows: { scope: ScopePath; secrets: number; newest: number }[] = [];
  for (const scope of await listScopes(tree)) {
    const entries = await readScope(tree, scope);
    let newest = 0;
    for (const { record } of entries?.values() ?? []) newest = Math.max(newest, readSealedHeader(record).createdAt);
    rows.push({ scope, secrets: entries?.size ?? 0, newest });
  }
  if (context.options.json) {
    context.json({ scopes: rows.map(({ scope, secrets }) => ({ scope, secrets })) });
    return;
  }
  if (rows.length === 0) context.say("no secrets yet; start with: sealtree set dev/app/API_KEY");
  const now = context.io.now().getTime();
  const cells = rows.map(({ scope, secrets, newest }) => [
    scope,
    count(secrets, "secret"),
    newest === 0 ? "" : `last set ${relativeTime(newest * 1000, now)}`,
  ]);
  for (const line of table(cells)) context.line(line);
}

async function listOne(context: Context, scope: ScopePath): Promise<void> {
  const tree = await context.tree();
  const entries = await readScope(tree, scope);
  const below = (await listScopes(tree)).filter((other) => other.startsWith(`${scope}/`));
  if (entries === undefined && below.length === 0) throw await scopeNotFound(tree, scope);
  const secrets = [...(entries ?? [])].map(([name, entry]) => describe(scope, name, entry));
  for (const child of below) {
    if (!isScopePath(child)) continue;
    for (const [name, entry] of (await readScope(tree, child)) ?? []) secrets.push(describe(child, name, entry));
  }
  if (context.options.json) {
    context.json({ scope, secrets });
    return;
  }
  const now = context.io.now().getTime();
  for (const line of table(
    secrets.map(({ address, set_at, is_drop }) => [
      address,
      `set ${relativeTime(Date.parse(set_at), now)}`,
      ...(is_drop ? ["drop, not adopted yet"] : []),
    ]),
  ))
    context.line(line);
}

function describe(scope: ScopePath, name: string, { record }: ScopeEntry) {
  const { kind, createdAt, valueId, generation } = readSealedHeader(record);
  return {
    name,
    address: `${scope}/${name}`,
    set_at: new Date(createdAt * 1000).toISOString(),
    value_id: valueId,
    generation: generation ?? null,
    is_drop: kind === "drop",
  };
}
