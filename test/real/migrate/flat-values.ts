import type { TestRepository } from "../../support/repository.ts";

/** Every leaf of JSON data by its path with dots; null and what is empty has none. */
export function flatten(data: unknown, path: readonly (string | number)[] = []): Map<string, unknown> {
  if (typeof data !== "object") return new Map([[path.join("."), data]]);
  if (data === null) return new Map();
  const steps = Array.isArray(data)
    ? data.map((value: unknown, index) => [index, value] as const)
    : Object.entries(data);
  return new Map(steps.flatMap(([key, value]) => [...flatten(value, [...path, key])]));
}

/** All values of a scope as bytes, by name, in the order of the names. */
export async function readScopeBytes(repository: TestRepository, scope: string): Promise<Map<string, Buffer>> {
  const { stdout } = await repository.ok(["export", scope, "--format", "json", "--yes"]);
  const read = Object.entries(JSON.parse(stdout) as Record<string, string | { $binary: string }>);
  return new Map(
    read.map(([name, value]) => [
      name,
      typeof value === "string" ? Buffer.from(value) : Buffer.from(value.$binary, "base64"),
    ]),
  );
}
