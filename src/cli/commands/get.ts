import { parseAddress, printAddress, type Address } from "../../secret/address.ts";
import { readSealedHeader } from "../../crypto/sealed-header.ts";
import type { Secret } from "../../secret/secret.ts";
import { openScope, type OpenScope } from "../../values/open-scope.ts";
import { SealtreeError } from "../../errors.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { mask, relativeTime } from "../present.ts";
import { safeText } from "../safe-text.ts";
import { valueJson } from "../value-json.ts";

export const get: CommandModule = {
  arguments: "<address>",
  kind: "read",
  description:
    "Prints a mask with the value's type, age and last writer. --reveal prints the bytes as they are, without a newline added; on a terminal it asks first unless --yes is given.",
  options: [
    { flags: "--reveal", description: "print the value itself" },
    { flags: "-y, --yes", description: "do not ask" },
  ],
  examples: [
    { command: "sealtree get prod/api/STRIPE_KEY", description: "when was it set, and by whom" },
    {
      command: "sealtree get prod/api/STRIPE_KEY --reveal --yes | pbcopy",
      description: "the value, into the clipboard",
    },
  ],
  json: '{"address", "type": "text"|"binary", "set_at", "value_id", "generation": id|null, "is_drop": boolean, "last_writer": {"name","email","commit","at"}|null} and with --reveal "value" (text) or "value_base64" (binary)',
  async run(context, [text = ""], options) {
    const address = parseAddress(text);
    context.about({ operation: "get", ...address });
    const scope = await openScope(await context.tree(), address.scope, await context.session.identities());
    const secret = await scope.open(address.name);
    if (options["reveal"] !== true) {
      await showMasked(context, address, scope, secret);
      return;
    }
    if (context.io.stdout.isTTY === true && !context.options.yes)
      await context.confirm(`print the value of ${printAddress(address)} on this terminal?`);
    const reader = await scope.readerOf(recordOf(scope, address));
    context.audit([{ kind: "read", operation: "get", ...address, outcome: "ok", member: reader, knownBy: "keyring" }]);
    if (context.options.json) context.json({ ...describe(address, scope, secret), ...valueJson(secret) });
    else writeValue(context, address, secret);
  },
};

function recordOf(scope: OpenScope, { name }: Address): string {
  return scope.entries.get(name)?.record ?? "";
}

function describe(address: Address, scope: OpenScope, secret: Secret) {
  const { kind, valueId, createdAt, generation } = readSealedHeader(recordOf(scope, address));
  return {
    address: printAddress(address),
    type: secret.kind,
    set_at: new Date(createdAt * 1000).toISOString(),
    value_id: valueId,
    generation: generation ?? null,
    is_drop: kind === "drop",
  };
}

function writeValue(context: Context, address: Address, secret: Secret): void {
  const text = secret.revealText();
  if (context.io.stdout.isTTY !== true) {
    context.io.stdout.write(secret.reveal());
    return;
  }
  if (secret.kind === "binary" || text === undefined) {
    throw new SealtreeError("E_VALUE_UNFIT", `${printAddress(address)} is binary and is not printed to a terminal`, {
      hints: [`sealtree get ${printAddress(address)} --reveal --yes > FILE`],
    });
  }
  context.io.stdout.write(`${safeText(text)}\n`);
}

async function showMasked(context: Context, address: Address, scope: OpenScope, secret: Secret): Promise<void> {
  const { findLastWriter } = await import("../../history/last-writer.ts");
  const writer = await findLastWriter(context.place(), address, context.options.at);
  const described = describe(address, scope, secret);
  if (context.options.json) {
    context.json({ ...described, last_writer: writer ?? null });
    return;
  }
  const age = relativeTime(Date.parse(described.set_at), context.io.now().getTime());
  const who =
    writer === undefined ? "not committed yet" : `by ${safeText(writer.name)} in ${writer.commit.slice(0, 9)}`;
  const state = described.is_drop ? "; drop, not adopted yet" : "";
  context.line(`${printAddress(address)}  ${mask}  ${secret.kind}, set ${age} ${who}${state}`);
}
