/**
 * Patterns over scope paths, after gitignore: `*` and `?` stay within a segment, `**` spans
 * any number of them, `!` takes away what earlier patterns gave, and the last pattern that
 * matches decides. `prod/**` means all below `prod`, not a scope named `prod`.
 */
const patternText = /^!?(?:\*\*|[a-z0-9*?_-]+|\$\{member\})(?:\/(?:\*\*|[a-z0-9*?_-]+|\$\{member\}))*$/;

/** True when `pattern` is well formed. */
export function isScopePattern(pattern: string): boolean {
  return pattern.length <= 512 && patternText.test(pattern) && !/\*\*[^/]|[^/!]\*\*/.test(pattern);
}

/** True when the list of patterns covers `scope`; `${member}` stands for `member`. */
export function matchesPatterns(patterns: readonly string[], scope: string, member: string): boolean {
  const deciding = findDecidingPattern(patterns, scope, member);
  return deciding !== undefined && !deciding.startsWith("!");
}

/** The pattern that decides whether the list covers `scope`, as written: the last that matches; undefined when none does. */
export function findDecidingPattern(patterns: readonly string[], scope: string, member: string): string | undefined {
  return patterns.findLast((written) => {
    const pattern = (written.startsWith("!") ? written.slice(1) : written).replaceAll("${member}", member);
    return matchSegments(pattern.split("/"), scope.split("/"));
  });
}

/** Matches segment by segment, remembering dead ends, so that no pattern takes long. */
function matchSegments(pattern: readonly string[], path: readonly string[]): boolean {
  let reachable = new Set([0]);
  for (const [index, segment] of pattern.entries()) {
    const next = new Set<number>();
    for (const position of reachable) {
      if (segment === "**") {
        const first = index === pattern.length - 1 && index > 0 ? position + 1 : position;
        for (let end = first; end <= path.length; end++) next.add(end);
      } else if (position < path.length && matchSegment(segment, path[position] ?? "")) {
        next.add(position + 1);
      }
    }
    reachable = next;
  }
  return reachable.has(path.length);
}

function matchSegment(pattern: string, text: string): boolean {
  let row = new Set([0]);
  for (const character of pattern) {
    const next = new Set<number>();
    for (const position of row) {
      if (character === "*") for (let end = position; end <= text.length; end++) next.add(end);
      else if (position < text.length && (character === "?" || character === text[position])) next.add(position + 1);
    }
    row = next;
  }
  return row.has(text.length);
}
