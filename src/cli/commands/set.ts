import { parseAddress, printAddress, type Address } from "../../secret/address.ts";
import type { Secret } from "../../secret/secret.ts";
import type { Tree } from "../../store/tree.ts";
import type { FileChange } from "../../store/write.ts";
import { writeValues } from "../../values/write-values.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { readValue, valueOptions } from "../value-input.ts";
import { reportWrite } from "../report-write.ts";

export const set: CommandModule = {
  arguments: "<address>",
  kind: "write",
  description:
    "Seals a value. It comes from a hidden prompt, from stdin (--stdin, bytes as they are), from a file or from a generator, never from the command line. Setting the value that is there already changes nothing. A member who may write and not read sets a drop, which a reader adopts.",
  options: valueOptions,
  examples: [
    { command: "sealtree set prod/api/STRIPE_KEY", description: "asks for the value" },
    { command: "sealtree set prod/api/TLS_KEY --from-file key.pem", description: "from a file" },
    {
      command: "sealtree set prod/api/SESSION_KEY --generate base64:bytes=48",
      description: "a random value nobody sees",
    },
  ],
  json: '{"scope", "added": [name], "changed": [name], "unchanged": [name], "drops": [name], "commit": id|null, "dry_run": boolean}',
  async run(context, [text = ""], options) {
    const address = parseAddress(text);
    context.about({ operation: "set", ...address });
    const secret: Secret = await readValue(context, options, `value of ${printAddress(address)}: `);
    let alongside: readonly FileChange[] = [];
    const outcome = await writeValues(
      context.session,
      { ...context.options, verb: "set", reason: "manual", note: context.options.note },
      async (tree) => {
        alongside = await planAlongside(context, tree, address, secret, options["generate"]);
        const changes = new Map([[address.name, { action: "set" as const, secret }]]);
        return [{ scope: address.scope, changes, alongside }];
      },
    );
    await reportWrite(context, outcome, { operation: "set", kind: "written" });
    for (const { path } of alongside)
      context.say(`its public half ${context.options.dryRun ? "would be" : "is"} in ${path}`);
  },
};

/** The public half of a generated value, where the rotation policy wants one. */
async function planAlongside(
  context: Context,
  tree: Tree,
  address: Address,
  secret: Secret,
  generate: unknown,
): Promise<readonly FileChange[]> {
  if (typeof generate !== "string") return [];
  const { parseGeneratorSpec } = await import("../../rotation/generator-spec.ts");
  const { planPublicHalfByPolicy } = await import("../../rotation/public-half.ts");
  const made = { address, secret, spec: parseGeneratorSpec(generate), madeAt: context.session.now() };
  return await planPublicHalfByPolicy(tree, made);
}
