import { z } from "zod";
import { isMemberName } from "../store/generation-file.ts";
import { isScopePattern } from "./scope-pattern.ts";

/** What a role may allow on a scope. */
export const actions = ["read", "write", "delete", "rotate", "deploy"] as const;
export type Action = (typeof actions)[number];

const memberName = z.string().refine(isMemberName, "a member's name is a-z, 0-9, _ and -, and begins with a letter");
const roleName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, "a role's name is a-z, 0-9, _ and -, and begins with a letter");
const pattern = z
  .string()
  .refine(isScopePattern, "not a scope pattern, such as prod/**, !prod/admin or user/${member}/**");

const grant = z.strictObject({
  scopes: z.array(pattern).min(1),
  allow: z.array(z.enum(actions)).min(1),
});

const removal = z.strictObject({
  version: z.int().min(1),
  at: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, "not a date such as 2026-11-01"),
  readmitted: z.int().min(1).optional(),
});

/** `policies/access.yaml` as written; unknown fields are errors. */
export const accessSchema = z.strictObject({
  version: z.int().min(1),
  post_quantum: z.enum(["require", "prefer", "off"]).default("prefer"),
  signing: z.enum(["off", "warn", "require"]).default("off"),
  members: z.record(
    memberName,
    z.strictObject({
      github: z
        .string()
        .regex(/^[A-Za-z0-9-]{1,39}$/, "not a GitHub user name")
        .optional(),
      kind: z.enum(["person", "machine"]).default("person"),
      roles: z.array(roleName).min(1),
    }),
  ),
  roles: z.record(roleName, z.strictObject({ admin: z.boolean().default(false), grants: z.array(grant).default([]) })),
  recovery: z.array(memberName).default([]),
  removed: z.record(memberName, removal).default({}),
  removed_keys: z
    .record(
      z.string().regex(/^[0-9a-f]{16}$/, "a key is named by its fingerprint: 16 hex digits"),
      removal.extend({ member: memberName }),
    )
    .default({}),
});

export type WrittenAccess = z.infer<typeof accessSchema>;
