import { parseAddress } from "../../../src/secret/address.ts";
import { ModelProvider } from "./model-provider.ts";
import { runEngine } from "./run-engine.ts";

/** What a run over many secrets is told, as JSON in the first argument. */
export interface ManySettings {
  /** Root of a clone. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly addresses: readonly string[];
  /** What the provider knows: hashes to values, as it gave them back the last time. */
  readonly live: Readonly<Record<string, string>>;
  readonly batchSize: number;
  readonly nowMs: number;
  /** Stops like a crash when so many pushes were done. */
  readonly crashAfter: number | undefined;
}

/** What it prints, as JSON. */
export interface ManyReport {
  readonly outcomes: Readonly<Record<string, number>>;
  readonly live: Readonly<Record<string, string>>;
}

const settings = JSON.parse(process.argv[2] ?? "") as ManySettings;
const provider = new ModelProvider("many passwords", 2, String(settings.nowMs));
for (const [id, value] of Object.entries(settings.live)) provider.live.set(id, value);
const outcomes: Record<string, number> = {};
let pushes = 0;

class Crash extends Error {}

Reflect.set(globalThis, Symbol.for("sealtree.crash-point"), (point: string) => {
  if (point === "push:after" && ++pushes === settings.crashAfter) throw new Crash();
});

try {
  const results = await runEngine(
    {
      ...settings,
      now: () => new Date(settings.nowMs),
      bind: (rule) => provider.bind(rule),
      limits: { batchSize: settings.batchSize, parallel: 8 },
    },
    settings.addresses.map((address) => ({
      address: parseAddress(address),
      wants: "new value" as const,
      urgency: "planned" as const,
      isNamed: false,
    })),
  );
  for (const { outcome } of results) outcomes[outcome.kind] = (outcomes[outcome.kind] ?? 0) + 1;
} catch (error) {
  if (!(error instanceof Crash)) throw error;
}
const report: ManyReport = { outcomes, live: Object.fromEntries(provider.live) };
process.stdout.write(JSON.stringify(report));
