import { setTimeout as delay } from "node:timers/promises";
import { SealtreeError } from "../errors.ts";
import { runNoticeHook } from "../rotation/notice-hook.ts";
import {
  nameMessage,
  parseWebhookKeys,
  parseWebhookUrl,
  sendWebhook,
  type WebhookEndpoint,
} from "../rotation/notice-webhook.ts";
import { childEnvironment } from "../resolve/child-environment.ts";
import { parseAddress } from "../secret/address.ts";
import { Secret } from "../secret/secret.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { selectSecrets } from "../values/select-secrets.ts";
import { auditReads } from "./audit-reads.ts";
import type { Context } from "./context.ts";
import { count } from "./present.ts";
import { noticeMessage, type NoticeReport } from "./rotation-notices.ts";

/** For how long tries to send begin, and how long a hook may take. */
const deadlineMs = 60_000;

/** Where notices go besides the screen. */
export interface Delivery {
  readonly webhook: { readonly endpoint: WebhookEndpoint; readonly keys: readonly Secret[] } | undefined;
  /** A command and its arguments. */
  readonly hook: readonly [string, ...string[]] | undefined;
}

/**
 * Reads where notices go: `--webhook` or SEALTREE_WEBHOOK_URL, the key of `--webhook-key` or
 * SEALTREE_WEBHOOK_KEY, and the words after `--`. Nothing of it comes from the repository, since
 * a clone must not send or run anything by itself. Throws E_USAGE, E_VALUE_UNFIT, and what opening
 * a secret throws.
 */
export async function readDelivery(
  context: Context,
  options: Readonly<Record<string, unknown>>,
  [command, ...args]: readonly string[],
): Promise<Delivery> {
  const url = textOf(options["webhook"]) ?? textOf(context.io.env["SEALTREE_WEBHOOK_URL"]);
  const hook: Delivery["hook"] = command === undefined ? undefined : [command, ...args];
  if (url === undefined) {
    if (options["webhookKey"] === undefined) return { webhook: undefined, hook };
    throw new SealtreeError("E_USAGE", "there is a key and no webhook", {
      hints: ["--webhook URL, or the variable SEALTREE_WEBHOOK_URL"],
    });
  }
  const endpoint = parseWebhookUrl(url);
  return { webhook: { endpoint, keys: parseWebhookKeys(await readKey(context, options["webhookKey"])) }, hook };
}

/** Hands the notices to the hook and sends them; a failure of one does not keep the other. Throws the first. */
export async function deliverNotices(context: Context, report: NoticeReport, delivery: Delivery): Promise<void> {
  const { hook, webhook } = delivery;
  const message = {
    id: nameMessage(report.repository, [
      ...report.notices.map(({ id }) => id),
      ...report.unreadable.map(({ scope }) => scope),
    ]),
    body: noticeMessage(report),
  };
  if (context.options.dryRun) {
    if (hook !== undefined) context.say("would run the command");
    if (webhook !== undefined) context.say(`would send ${message.id} to ${webhook.endpoint.host}`);
    return;
  }
  const results = await Promise.allSettled([
    hook === undefined ? undefined : handToHook(context, hook, message.body),
    webhook === undefined ? undefined : post(context, webhook, message),
  ]);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

async function handToHook(context: Context, hook: readonly [string, ...string[]], input: string): Promise<void> {
  const [command, ...args] = hook;
  const { env, stderr } = context.io;
  await runNoticeHook(
    {
      command,
      args,
      directory: context.directory,
      environment: childEnvironment(env, new Map()),
      // stdout is ours, for data.
      onOutput: (chunk) => stderr.write(chunk),
      timeoutMs: deadlineMs,
    },
    input,
  );
}

async function post(
  context: Context,
  { endpoint, keys }: NonNullable<Delivery["webhook"]>,
  message: { readonly id: string; readonly body: string },
): Promise<void> {
  const tries = await sendWebhook(message, {
    endpoint,
    keys,
    deadlineMs,
    clock: {
      nowMs: () => context.io.now().getTime(),
      elapsedMs: () => performance.now(),
      wait: async (ms) => await delay(ms),
      random: (size) => context.io.random(size),
    },
    onRetry: (failure, waitMs) => context.say(`${failure.message}; next try in ${Math.ceil(waitMs / 1000)} s`),
  });
  context.say(
    `sent ${message.id} to ${endpoint.host}${tries === 1 ? "" : ` with ${count(tries, "try").replace("trys", "tries")}`}`,
  );
}

/** A key is a value: it comes from a secret or from the environment, never from the command line. */
async function readKey(context: Context, address: unknown): Promise<Secret> {
  const fromEnvironment = textOf(context.io.env["SEALTREE_WEBHOOK_KEY"]);
  if (typeof address !== "string") {
    if (fromEnvironment !== undefined) return Secret.text(fromEnvironment);
    throw new SealtreeError("E_USAGE", "there is no key to sign the webhook with", {
      hints: [
        "--webhook-key ADDRESS names a secret, or the variable SEALTREE_WEBHOOK_KEY has it",
        "sealtree set SCOPE/WEBHOOK_KEY --generate base64:bytes=32 makes one",
      ],
    });
  }
  const parsed = parseAddress(address);
  const identities = await context.session.identities();
  const tree = openWorkTree(context.place().root);
  const selected = await selectSecrets(tree, [parsed.scope], identities, [parsed.name]);
  auditReads(context, context.subject.operation, selected);
  const [key] = selected;
  if (key === undefined) throw new Error("no secret was selected");
  return key.secret;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
