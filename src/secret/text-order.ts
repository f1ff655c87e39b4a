/** Bytewise order of ASCII text: the order of every list in our files. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
