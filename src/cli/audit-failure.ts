import type { AuditKind } from "../audit/codes.ts";
import { errorCatalogue, type ExitClass, type SealtreeError } from "../errors.ts";
import type { Context } from "./context.ts";

const kinds: Partial<Record<ExitClass, AuditKind>> = { noAccess: "unauthorised", integrity: "accessFailed" };
const invalid = new Set(["E_NAME_INVALID", "E_VALUE_TOO_LARGE", "E_VALUE_UNFIT", "E_INPUT_INVALID", "E_NAME_REFUSED"]);

/** Puts a failure that concerns secrets into the audit log; others are nobody's business. */
export function auditFailure(context: Context, error: SealtreeError): void {
  const kind = kinds[errorCatalogue[error.code]] ?? (invalid.has(error.code) ? "invalidRejected" : undefined);
  if (kind === undefined) return;
  const { operation, scope, name } = context.subject;
  const outcome = kind === "accessFailed" ? "failed" : "refused";
  context.audit([{ kind, operation, scope, name, outcome, error: error.code }]);
}
