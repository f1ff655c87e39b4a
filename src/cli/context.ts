import { resolve } from "node:path";
import type { Session } from "../access/session.ts";
import type { AuditEvent } from "../audit/event.ts";
import { appendAudit } from "../audit/log.ts";
import type { Identity } from "../crypto/identity.ts";
import type { PluginHost } from "../crypto/plugin-host.ts";
import type { AskPassphrase } from "../crypto/passphrase.ts";
import { SealtreeError } from "../errors.ts";
import { findPlace, type GitPlace } from "../git/place.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import type { AskIdentityToken } from "../services/identity-tokens.ts";
import type { Tree } from "../store/tree.ts";
import { openWorkTree } from "../store/work-tree.ts";
import type { CommonOptions } from "./command.ts";
import type { Io } from "./io.ts";
import { painter, type Style } from "./present.ts";
import { askHidden, askYesNo } from "./prompt.ts";
import { safeJson, safeText } from "./safe-text.ts";

/** What a command is about; an error is audited with it. */
export interface Subject {
  readonly operation: string;
  readonly scope?: ScopePath;
  readonly name?: SecretName;
}

/** What a command has to work with. Everything is opened when first asked for. */
export interface Context {
  readonly io: Io;
  readonly options: CommonOptions;
  /** Absolute; where the command was started, after -C. */
  readonly directory: string;
  readonly session: Session;
  /** Says what the command is about, for the audit log. */
  about(subject: Subject): void;
  readonly subject: Subject;
  /** The repository found from `directory`. Throws E_NO_REPOSITORY. */
  place(): GitPlace;
  /** The work tree, or the commit of --at. */
  tree(): Promise<Tree>;
  /** Data, for stdout: one line. What comes from a repository or from git goes through safeText first. */
  line(text: string): void;
  /** Data, for stdout: one JSON value. */
  json(value: unknown): void;
  /** Words, for stderr. */
  say(text: string): void;
  paint(style: Style, text: string): string;
  /** True when somebody can be asked. */
  readonly isInteractive: boolean;
  /** Goes on only after a yes. Throws E_ABORTED, or E_NEEDS_TERMINAL when nobody can be asked. */
  confirm(question: string): Promise<void>;
  askHidden(question: string): Promise<string>;
  /** For keys that need one; the same answer is not asked for twice in a run. */
  readonly askPassphrase: AskPassphrase;
  audit(events: readonly AuditEvent[]): void;
  close(): void;
}

/** The context of one run of a command. `operation` is what the audit log calls it until `about` says more. */
export function createContext(io: Io, options: CommonOptions, operation: string): Context {
  const directory = resolve(io.cwd, options.directory ?? ".");
  const paint = painter(io.stdout, io.env);
  // Asked for late: opening stdin takes time that reads from a script can do without.
  const isInteractive = () => !options.nonInteractive && !io.env["CI"] && io.stdin.isTTY === true;
  const closers: (() => void)[] = [];
  let place: GitPlace | undefined;
  let identities: Promise<readonly Identity[]> | undefined;
  let plugins: Promise<PluginHost> | undefined;
  let subject: Subject = { operation };
  let request: string | undefined;

  const getPlace = () => (place ??= findPlace(directory, io.env));
  const getIdentities = (): Promise<readonly Identity[]> => (identities ??= loadAll());
  const getPlugins = (): Promise<PluginHost> => (plugins ??= loadPlugins());
  const loadPlugins = async () => {
    const { openPluginHost } = await import("./plugin-host.ts");
    return openPluginHost({ io, isInteractive: isInteractive(), place: getPlace, identities: getIdentities });
  };
  const loadAll = async (): Promise<readonly Identity[]> => {
    const { loadIdentities } = await import("../identity/load.ts");
    return (await loadIdentities({ env: io.env, askPassphrase, plugins: getPlugins })).identities;
  };
  const needTerminal = (what: string) =>
    new SealtreeError("E_NEEDS_TERMINAL", `${what}, and nobody can be asked here`, {
      hints: ["pass --yes to go on without asking"],
    });

  let tokens: AskIdentityToken | undefined;
  const getIdentityToken: AskIdentityToken = async (audience) => {
    const { createIdentityTokens } = await import("../services/identity-tokens.ts");
    const isJob = io.env["GITHUB_ACTIONS"] === "true";
    tokens ??= createIdentityTokens({ request: io.tokenRequest, isJob, now: () => io.now() });
    return await tokens(audience);
  };

  let asker: AskPassphrase | undefined;
  const askPassphrase: AskPassphrase = async (of) => {
    const { createAskPassphrase, passphraseSource } = await import("./ask-passphrase.ts");
    asker ??= createAskPassphrase(passphraseSource(io, options));
    return await asker(of);
  };

  return {
    io,
    options,
    directory,
    session: {
      get place() {
        return getPlace();
      },
      random: (size) => io.random(size),
      now: () => io.now(),
      identities: getIdentities,
      plugins: getPlugins,
      identityToken: getIdentityToken,
    },
    about(next) {
      subject = next;
    },
    get subject() {
      return subject;
    },
    place: getPlace,
    async tree() {
      if (options.at === undefined) return openWorkTree(getPlace().root);
      const { openCommitTree } = await import("../store/commit-tree.ts");
      const tree = await openCommitTree(getPlace(), options.at);
      closers.push(() => tree.close());
      return tree;
    },
    line(text) {
      io.stdout.write(`${text}\n`);
    },
    json(value) {
      io.stdout.write(`${safeJson(JSON.stringify(value, null, 2))}\n`);
    },
    say(text) {
      io.stderr.write(`${safeText(text)}\n`);
    },
    paint,
    get isInteractive() {
      return isInteractive();
    },
    async confirm(question) {
      if (options.yes || options.dryRun) return;
      if (!isInteractive()) throw needTerminal("this needs a yes");
      if (!(await askYesNo(io, question))) throw new SealtreeError("E_ABORTED", "aborted, nothing was changed");
    },
    async askHidden(question) {
      if (!isInteractive()) throw needTerminal("a value is needed");
      return await askHidden(io, question);
    },
    askPassphrase,
    audit(events) {
      request ??= Buffer.from(io.random(8)).toString("hex");
      appendAudit(io, io.now(), events, { repository: place?.root, request });
    },
    close() {
      for (const close of closers) close();
    },
  };
}
