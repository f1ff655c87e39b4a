import { toMemberName } from "../access/init.ts";
import type { CommitInfo } from "./scope-commits.ts";

/** Which commits a log is to show. */
export interface CommitFilter {
  readonly member?: string | undefined;
  readonly reason?: string | undefined;
}

/**
 * True when a commit fits. Its author counts as the member whose name is made of the author's
 * name or mail address, as init makes one, also of the address that GitHub gives out; that is
 * what the commit says of itself, and nothing proves it.
 */
export function fitsFilter({ author, reason }: CommitInfo, filter: CommitFilter): boolean {
  if (filter.reason !== undefined && filter.reason !== reason) return false;
  if (filter.member === undefined) return true;
  const [mailbox = ""] = author.email.split("@");
  const names = [author.name, mailbox, mailbox.replace(/^[0-9]+\+/, "")].map(toMemberName);
  return names.includes(filter.member) || author.email === filter.member;
}
