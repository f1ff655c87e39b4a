/**
 * How many points of a command a sweep tries: every one of `set`, and of the others `most`, evenly
 * spread, unless FAULT_POINTS=all asks for every one of every command.
 */
export function howMany(command: string, most: number): number {
  return command === "set" || process.env["FAULT_POINTS"] === "all" ? Infinity : most;
}
