/** Codes of audit events, an interface for those who watch the log. */
export const auditCodes = {
  deleted: { code: "HBSE-001", level: "info", meaning: "secret deleted" },
  deleteOfMissing: { code: "HBSE-002", level: "warn", meaning: "delete of a secret that does not exist" },
  requiredMissing: { code: "HBSE-003", level: "warn", meaning: "required secret missing" },
  accessFailed: { code: "HBSE-004", level: "error", meaning: "access failed: decryption or integrity error" },
  rotated: { code: "HBSE-005", level: "info", meaning: "secret rotated" },
  unauthorised: { code: "HBSE-006", level: "error", meaning: "unauthorised access attempt" },
  invalidRejected: { code: "HBSE-007", level: "warn", meaning: "invalid secret rejected" },
  read: { code: "HBSE-008", level: "info", meaning: "secret read" },
  written: { code: "HBSE-009", level: "info", meaning: "secret written" },
  rolledBack: { code: "HBSE-010", level: "warn", meaning: "secret rolled back" },
  emergencyRotation: { code: "HBSE-011", level: "warn", meaning: "emergency rotation" },
  accessChanged: { code: "HBSE-012", level: "info", meaning: "access changed" },
  deployed: { code: "HBSE-013", level: "info", meaning: "secret deployed" },
  driftFound: { code: "HBSE-014", level: "warn", meaning: "drift found at a target" },
} as const satisfies Record<string, { code: `HBSE-${string}`; level: "info" | "warn" | "error"; meaning: string }>;

export type AuditKind = keyof typeof auditCodes;

/** What a code means, in a few words; undefined for a code of another version. */
export function meaningOf(code: string): string | undefined {
  return Object.values(auditCodes).find((entry) => entry.code === code)?.meaning;
}
