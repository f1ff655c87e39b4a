/** The policy that `init` writes: one senior engineer, and the roles most teams want. */
export function defaultAccessPolicy(member: string): string {
  return `# Who may do what. Every change raises version by one.
# Recipients of a member: policies/members/<name>.pub, one a line.
version: 1

# prefer: post-quantum recipients, classical ones allowed beside them. require: post-quantum only.
post_quantum: prefer

# Whether commits must be signed by who may write: off, warn or require.
signing: off

members:
  ${member}: { roles: [senior-engineer] }

# A grant covers scopes by pattern: * within a segment, ** any number of them, ! takes away;
# \${member} is the member's own name. A member has the grants of all its roles.
roles:
  senior-engineer:
    admin: true
    grants:
      - { scopes: ["**"], allow: [read, write, delete, rotate, deploy] }
  engineer:
    grants:
      - { scopes: ["**", "!prod/**"], allow: [read] }
  analyst:
    grants:
      - { scopes: ["**", "!prod/**", "!staging/**"], allow: [read] }
`;
}

/** The rotation policy that `init` writes. */
export function defaultRotationPolicy(): string {
  return `# When each secret gets a new value, and how.
defaults: { interval: 90d, at: "02:00", notice: 7d, rollback: true, grace: 24h }

types:
  database-credentials: { interval: 90d, at: "02:00", notice: 7d }
  api-tokens: { interval: 90d, at: "03:00", notice: 3d }
  oauth-credentials: { interval: 180d, at: "01:00", notice: 14d, rollback: false }

# prod/api/SESSION_KEY: { rotator: generate, options: { kind: base64, bytes: 48 } }
secrets: {}
`;
}
