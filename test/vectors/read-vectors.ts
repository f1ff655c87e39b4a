import { readdirSync, readFileSync } from "node:fs";
import type { Vector, VectorFile } from "./vector.ts";

const directory = new URL("./", import.meta.url);

/** Names of the published files, sorted. */
export function listVectorFiles(): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith(".json"))
    .sort();
}

/** The vectors of one published file. */
export function readVectors(file: string): readonly Vector[] {
  const parsed = JSON.parse(readFileSync(new URL(file, directory), "utf8")) as VectorFile;
  return parsed.vectors;
}
