import type { SelectedSecret } from "../values/select-secrets.ts";
import type { Context } from "./context.ts";

/** Puts one `read` event a secret into the audit log, before the values leave. */
export function auditReads(context: Context, operation: string, selected: readonly SelectedSecret[]): void {
  context.audit(
    selected.map(({ address, reader }) => ({
      kind: "read",
      operation,
      scope: address.scope,
      name: address.name,
      outcome: "ok",
      member: reader,
      knownBy: "keyring",
    })),
  );
}
