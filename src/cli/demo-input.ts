/** One service of the demo's made-up company: its scope and the values it has before sealtree. */
export interface DemoService {
  readonly scope: string;
  readonly values: ReadonlyMap<string, string>;
}

const services = {
  dev: ["accounts", "billing", "catalog", "mailer", "search", "shop", "warehouse"],
  staging: ["accounts", "billing", "catalog", "mailer", "search", "shop"],
  prod: ["accounts", "billing", "catalog", "mailer", "search", "shop", "warehouse"],
} as const;

/**
 * Twenty services with ten values each, drawn anew each time: URLs with passwords, tokens, a
 * key of several lines, a password with every kind of quote that dotenv can hold.
 */
export function inventServices(random: (size: number) => Uint8Array): DemoService[] {
  const token = (size: number) => Buffer.from(random(size)).toString("base64url");
  return Object.entries(services).flatMap(([environment, names]) =>
    names.map((name) => ({
      scope: `${environment}/${name}`,
      values: new Map([
        ["DATABASE_URL", `postgres://${name}:demo-${token(18)}@${environment}.db.example.test:5432/${name}`],
        ["REDIS_URL", `redis://:demo-${token(18)}@${environment}.redis.example.test:6379/0`],
        ["SESSION_SECRET", `demo-${token(36)}`],
        ["JWT_KEY", inventKey(Buffer.from(random(96)).toString("base64"))],
        ["PAYMENT_API_KEY", `demo_key_${token(24)}`],
        ["WEBHOOK_SECRET", `demo_hook_${token(24)}`],
        ["SMTP_PASSWORD", `demo ${token(9)} # with "quotes" ${token(9)}`],
        ["S3_ACCESS_KEY_ID", `DEMO${Buffer.from(random(8)).toString("hex").toUpperCase()}`],
        ["S3_SECRET_ACCESS_KEY", `demo/${token(30)}+=`],
        ["ERROR_TRACKER_DSN", `https://demo${token(16)}@errors.example.test/${name}`],
      ]),
    })),
  );
}

/** The services' values as the `.env` file they lie about in. */
export function printDotenv({ scope, values }: DemoService): string {
  const lines = [...values].map(([name, value]) => `${name}=${quote(value)}`);
  return [`# ${scope}, as it was until today`, ...lines, ""].join("\n");
}

/** Session secrets are made by a generator every 90 days; the rest is changed by a person once a year. */
export function printRotationPolicy(all: readonly DemoService[]): string {
  const rules = all.flatMap(({ scope, values }) =>
    [...values.keys()].map((name) =>
      name === "SESSION_SECRET"
        ? `  ${scope}/${name}: { type: session-secrets, rotator: generate, options: { kind: base64, bytes: 48 } }`
        : `  ${scope}/${name}: { type: by-hand, rotator: manual, owner: alice }`,
    ),
  );
  return [
    'defaults: { interval: 90d, at: "02:00", notice: 7d }',
    "types:",
    "  session-secrets: { interval: 90d }",
    "  by-hand: { interval: 365d, notice: 30d }",
    "secrets:",
    ...rules,
    "",
  ].join("\n");
}

function inventKey(base64: string): string {
  const lines = base64.match(/.{1,64}/g) ?? [];
  return ["-----BEGIN DEMO KEY-----", ...lines, "-----END DEMO KEY-----", ""].join("\n");
}

function quote(value: string): string {
  if (value.includes("\n")) return `"${value}"`;
  return value.includes("#") ? `'${value}'` : value;
}
