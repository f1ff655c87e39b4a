/** `A, B, C`, or `A, B and 12 more` beyond `most` words. */
export function shortList(words: readonly string[], most = 10): string {
  if (words.length <= most) return words.join(", ");
  return `${words.slice(0, most).join(", ")} and ${words.length - most} more`;
}
