/** The version of this build, the same as in package.json; a test compares them. */
export const version = "0.1.0";

/** True for a command line that asks for the version and nothing else. */
export function isVersionRequest(argv: readonly string[]): boolean {
  return argv.length === 1 && ["--version", "-V", "version"].includes(argv[0] ?? "");
}
