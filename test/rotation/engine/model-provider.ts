import { createHash } from "node:crypto";
import { ProviderFailure, type FailureClass } from "../../../src/net/provider-failure.ts";
import type { Rule } from "../../../src/rotation/policy.ts";
import type { Credential, Provider } from "../../../src/rotation/rotators/provider.ts";
import type { BoundProvider } from "../../../src/rotation/rotators/registry.ts";
import { Secret } from "../../../src/secret/secret.ts";

/** What a provider is like: who makes the value, and how many live side by side. */
export type ModelKind = "two users" | "many passwords" | "two keys" | "one slot";

/** A call that the model is told to spoil. */
export interface Trouble {
  readonly call: "apply" | "mint" | "roll" | "revoke" | "probe" | "preflight" | "suspend";
  readonly class: FailureClass;
  /** True when it is done all the same, as by a server whose answer is lost. */
  readonly isDone: boolean;
}

/**
 * The server side of a provider, that outlives every run of the engine: which credentials are
 * live, and everything that ever was.
 */
export class ModelProvider {
  readonly kind: ModelKind;
  /** Id to password. */
  readonly live = new Map<string, string>();
  readonly suspended = new Map<string, string>();
  readonly calls: string[] = [];
  readonly troubles: Trouble[] = [];
  /** Runs before the server takes a call, and before its answer is out: for what happens meanwhile. */
  onCall: ((call: Trouble["call"] | "identify", when: "before" | "after") => void | Promise<void>) | undefined;
  readonly #tags = new Map<string, string>();
  #made = 0;

  /** How many keys there may be at a time, of two keys. */
  readonly slots: number;

  /** Stands in the passwords that it chooses. */
  readonly name: string;

  constructor(kind: ModelKind, slots = 2, name = "model") {
    this.kind = kind;
    this.slots = slots;
    this.name = name;
  }

  /** The tag that a credential was minted with. */
  tagOf(id: string): string | undefined {
    return this.#tags.get(id);
  }

  /** A server that begins as this one is now. */
  copy(): ModelProvider {
    const copy = new ModelProvider(this.kind, this.slots, this.name);
    for (const [id, value] of this.live) copy.live.set(id, value);
    for (const [id, value] of this.suspended) copy.suspended.set(id, value);
    for (const [id, tag] of this.#tags) copy.#tags.set(id, tag);
    copy.#made = this.#made;
    return copy;
  }

  /** A credential that is there before sealtree comes; gives its parts. */
  seed(): Readonly<Record<string, string>> {
    if (this.kind === "two users") return this.#put("app_a", "test-password-of-a");
    if (this.kind === "many passwords") return this.#put(hash("test-password-first"), "test-password-first");
    return this.#put("key-0", "test-key-first");
  }

  /** The parts that change. */
  get parts(): readonly [string, ...string[]] {
    return this.kind === "two users" ? ["password", "user"] : this.kind === "two keys" ? ["key", "id"] : ["password"];
  }

  bind(_rule: Rule): BoundProvider {
    return {
      parts: this.parts,
      changing: this.parts,
      outage: this.kind === "one slot" ? "the old key ends at once" : undefined,
      references: [],
      propagationMs: 0,
      open: () => Promise.resolve(this.#open()),
    };
  }

  #open(): Provider {
    const shared = {
      preflight: async () => {
        await this.#call("preflight", undefined, () => undefined);
        return [];
      },
      identify: async (parts: Readonly<Record<string, Secret>>) => {
        const found = this.#identify(parts);
        await this.onCall?.("identify", "after");
        return found;
      },
      probe: async (credential: Credential) => {
        await this.#call("probe", undefined, () => undefined);
        return this.live.get(credential.id) === text(credential) ? ("live" as const) : ("dead" as const);
      },
      revoke: (credential: Credential) =>
        this.#call("revoke", credential.id, () => {
          this.live.delete(credential.id);
          this.suspended.delete(credential.id);
        }),
      close: () => Promise.resolve(),
    };
    if (this.kind === "two users" || this.kind === "many passwords") {
      return {
        ...shared,
        kind: "chosen",
        choose: (current) => Promise.resolve(this.#choose(current)),
        recall: ({ password }, current) => Promise.resolve(this.#take(password?.revealText() ?? "", current)),
        apply: (next) => this.#call("apply", next.id, () => void this.live.set(next.id, text(next))),
      };
    }
    if (this.kind === "one slot")
      return { ...shared, kind: "rolled", roll: () => this.#call("roll", undefined, () => this.#roll()) };
    return {
      ...shared,
      kind: "minted",
      inventory: () => Promise.resolve([...this.live.keys(), ...this.suspended.keys()]),
      mint: (tag) => this.#call("mint", undefined, () => this.#mint(tag)),
      isTagged: (id, tag) => Promise.resolve(this.#tags.get(id) === tag),
      suspend: (credential) =>
        this.#call("suspend", credential.id, () => {
          const value = this.live.get(credential.id);
          if (value !== undefined) this.suspended.set(credential.id, value);
          this.live.delete(credential.id);
        }),
    };
  }

  #identify(parts: Readonly<Record<string, Secret>>): Credential | undefined {
    const { user, id, password, key } = Object.fromEntries(
      Object.entries(parts).map(([name, secret]) => [name, secret.revealText() ?? ""]),
    );
    const found =
      this.kind === "two users"
        ? user
        : this.kind === "many passwords"
          ? hash(password ?? "")
          : this.kind === "two keys"
            ? id
            : "key-0";
    const value = password ?? key;
    if (found === undefined || value === undefined || this.live.get(found) !== value) return undefined;
    return { id: found, parts };
  }

  #choose(current: Credential | undefined): Credential {
    return this.#take(`test-password-${++this.#made}-of-${this.name}`, current);
  }

  #take(password: string, current: Credential | undefined): Credential {
    if (this.kind === "many passwords") return { id: hash(password), parts: { password: Secret.text(password) } };
    const user = current?.id === "app_a" ? "app_b" : "app_a";
    return { id: user, parts: { user: Secret.text(user), password: Secret.text(password) } };
  }

  #mint(tag: string): Credential {
    if (this.live.size + this.suspended.size >= this.slots)
      throw new ProviderFailure("limit", "there are as many keys as there can be");
    const id = `key-${++this.#made}`;
    this.#tags.set(id, tag);
    return toCredential(this.#put(id, `test-key-${this.#made}`));
  }

  #roll(): Credential {
    const { password = "" } = this.#put("key-0", `test-key-${++this.#made}`);
    return { id: "key-0", parts: { password: Secret.text(password) } };
  }

  #put(id: string, value: string): Record<string, string> {
    this.live.set(id, value);
    if (this.kind === "two users") return { user: id, password: value };
    return this.kind === "two keys" ? { id, key: value } : { password: value };
  }

  async #call<T>(call: Trouble["call"], id: string | undefined, work: () => T): Promise<T> {
    await Promise.resolve();
    await this.onCall?.(call, "before");
    this.calls.push(id === undefined ? call : `${call} ${id}`);
    const index = this.troubles.findIndex((trouble) => trouble.call === call);
    const [trouble] = index === -1 ? [] : this.troubles.splice(index, 1);
    if (trouble === undefined || trouble.isDone) {
      const result = work();
      await this.onCall?.(call, "after");
      if (trouble === undefined) return result;
    }
    throw new ProviderFailure(trouble.class, `the model was told that ${call} is ${trouble.class}`);
  }
}

function text({ parts }: Credential): string {
  return (parts["password"] ?? parts["key"])?.revealText() ?? "";
}

function toCredential(parts: Readonly<Record<string, string>>): Credential {
  return {
    id: parts["id"] ?? "",
    parts: Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, Secret.text(value)])),
  };
}

function hash(value: string): string {
  return createHash("sha256").update(value).digest("hex").slice(0, 16);
}
