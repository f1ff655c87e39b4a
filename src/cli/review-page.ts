import type { Report } from "../review/report.ts";
import { listSecretChanges, type ChangeKind, type SecretChange } from "../review/report-changes.ts";
import { sayInterval, sayRuleChange } from "../review/report-rotation.ts";
import { count, sayAccess, sayReach, sayWho } from "../review/report-words.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import {
  listCommitSection,
  listDeepSection,
  listErrorSection,
  listFindingSections,
  listSignatureSection,
} from "./review-sections.ts";

/** A piece of text as it comes from the repository or from us: each printer escapes it. */
export type Span = string | { readonly code: string } | { readonly from: string };
export type Cell = readonly Span[];

/** A part of the report. A printer may shorten `bullets` and `rows`, and says by how much. */
export interface Section {
  readonly title: string;
  /** Closed until somebody opens it, where that can be. */
  readonly isFolded: boolean;
  readonly lead?: Cell;
  readonly bullets?: readonly Cell[];
  readonly table?: { readonly head: readonly string[]; readonly rows: readonly (readonly Cell[])[] };
}

/** The report in words, for every printer. */
export interface ReviewPage {
  readonly title: string;
  readonly summary: Cell;
  readonly sections: readonly Section[];
  readonly footer: string;
}

/** How each kind of change is counted, in the order of the summary. */
const counted = [
  ["added", "added", "added"],
  ["changed", "with a new value", "new value"],
  ["rolled-back", "with an earlier value again", "earlier value"],
  ["moved", "moved", "moved"],
  ["copied", "copied", "copied"],
  ["removed", "removed", "removed"],
  ["unreadable", "that cannot be read", "unreadable"],
  ["resealed", "only sealed again", "sealed again"],
] as const satisfies readonly (readonly [kind: ChangeKind, words: string, head: string])[];

/** Up to this many secrets are listed openly. */
const openSecrets = 15;

const titles = { blocked: "blocked", attention: "needs attention", fine: "fine" } as const;

/** The report as a page, without its verdict's reasons, which each printer draws in its own way. */
export function toReviewPage(report: Report): ReviewPage {
  return {
    title: `Secrets review: ${titles[report.verdict]}`,
    summary: sayChanges(report),
    sections: [
      ...listErrorSection(report),
      ...listDeepSection(report),
      ...listAccess(report),
      ...listAccessPolicy(report),
      ...listSecrets(report),
      ...listRotation(report),
      ...listFindingSections(report),
      ...listSignatureSection(report),
      ...listCommitSection(report),
    ],
    footer: `${report.deep === undefined ? "Made without a key" : "Made with a key"} by sealtree review, from ${report.base.slice(0, 12)} to ${report.head?.slice(0, 12) ?? "the work tree"}. No value is shown.`,
  };
}

function sayChanges({ scopes, commits }: Report): Cell {
  const changes = listSecretChanges(scopes);
  const parts = counted.flatMap(([kind, words]) => {
    const amount = changes.filter((change) => change.kind === kind).length;
    return amount === 0 ? [] : [`${amount} ${words}`];
  });
  if (parts.length === 0) return ["No secret changes."];
  const touched = scopes.filter(({ secrets }) => secrets.length > 0).length;
  const made = commits.length === 0 ? "" : `, by ${count(commits.length, "commit")}`;
  return [`${count(changes.length, "secret")} in ${count(touched, "scope")}${made}: ${parts.join(", ")}.`];
}

function listAccess({ access }: Report): Section[] {
  const sentences = access.flatMap(sayAccess);
  const known = access.filter(({ stillKnown }) => stillKnown.size > 0);
  if (sentences.length + known.length === 0) return [];
  return [
    {
      title: "Who can read",
      isFolded: false,
      bullets: [
        ...sentences.map((sentence): Cell => [sentence]),
        ...known.map((change): Cell => {
          const known = sayReach(change.stillKnown);
          return [
            `${sayWho(change)} still knows ${known}: what was read stays read. New values end it: `,
            { code: `sealtree rotate --exposed-to ${change.name}` },
          ];
        }),
      ],
    },
  ];
}

function listSecrets(report: Report): Section[] {
  const changes = listSecretChanges(report.scopes);
  const set = changes.filter(({ kind, isUnproven }) => kind !== "resealed" || isUnproven);
  const isLong = set.length > openSecrets;
  const odd = isLong ? set.filter(({ kind, isUnproven }) => isUnproven || !["added", "changed"].includes(kind)) : [];
  const sealed = report.scopes.filter(({ secrets }) => secrets.some(isOnlySealed));
  const table = (rows: readonly SecretChange[]) => ({
    head: ["secret", "what", "by", "rotation"],
    rows: rows.map((change) => toRow(report, change)),
  });
  return [
    ...(odd.length === 0 ? [] : [{ title: "Worth a look", isFolded: odd.length > 2 * openSecrets, table: table(odd) }]),
    ...(isLong ? [listByScope(report)] : []),
    ...(set.length === 0
      ? []
      : [{ title: isLong ? `All ${set.length} secrets` : "Secrets", isFolded: isLong, table: table(set) }]),
    ...(sealed.length === 0
      ? []
      : [
          {
            title: `Only sealed again: ${count(changes.filter(isOnlySealed).length, "secret")}`,
            isFolded: true,
            lead: ["The values stayed."],
            table: {
              head: ["scope", "secrets"],
              rows: sealed.map(({ scope, secrets }): Cell[] => [
                [{ code: scope }],
                joinCode(secrets.filter(isOnlySealed)),
              ]),
            },
          },
        ]),
    ...listComments(report),
  ];
}

function isOnlySealed({ kind, isUnproven }: SecretChange): boolean {
  return kind === "resealed" && !isUnproven;
}

function listByScope(report: Report): Section {
  const used = counted.filter(([kind]) => listSecretChanges(report.scopes).some((change) => change.kind === kind));
  const rows = report.scopes.map(({ scope, state, secrets, isWhole }): Cell[] => {
    const notes = [
      ...(state === "added" ? ["new scope"] : state === "removed" ? ["scope is gone"] : []),
      ...(isWhole ? [] : ["cannot be read as a whole"]),
    ];
    const amounts = used.map(([kind]) => secrets.filter((change) => change.kind === kind).length);
    return [
      [{ code: scope }, ...(notes.length === 0 ? [] : [` (${notes.join(", ")})`])],
      ...amounts.map((amount): Cell => [amount === 0 ? "" : String(amount)]),
      listAuthors(report, secrets),
    ];
  });
  return {
    title: `By scope: ${count(report.scopes.length, "scope")}`,
    isFolded: report.scopes.length > openSecrets,
    table: { head: ["scope", ...used.map(([, , head]) => head), "by"], rows },
  };
}

function listAuthors(report: Report, secrets: readonly Address[]): Cell {
  const names = new Set(secrets.map((secret) => report.originOf(secret).commit?.author.name ?? "not committed"));
  return [...names]
    .toSorted(compareText)
    .flatMap((name, index): Span[] => [...(index === 0 ? [] : [", "]), { from: name }]);
}

function toRow(report: Report, change: SecretChange): Cell[] {
  const { commit, earlier, rotation } = report.originOf(change);
  const by: Cell =
    commit === undefined
      ? ["not committed"]
      : [
          { from: commit.author.name },
          ", ",
          ...(commit.trailer === undefined ? [] : [{ from: commit.trailer }, ", "]),
          { code: commit.commit.slice(0, 9) },
        ];
  const due = rotation?.dueAtMs === undefined ? "" : `, due ${new Date(rotation.dueAtMs).toISOString().slice(0, 10)}`;
  const outlook =
    rotation === undefined
      ? ""
      : rotation.intervalMs === undefined
        ? "no rule"
        : `${sayInterval(rotation.intervalMs)}${rotation.state === "overdue" ? ", overdue" : due}`;
  return [[{ code: printAddress(change) }], sayChange(change, earlier), by, [outlook]];
}

function sayChange(
  { kind, from, after, before, isAdopted, isUnproven }: SecretChange,
  earlier: string | undefined,
): Cell {
  const drop = after?.isDrop === true ? ", as a drop" : "";
  if (kind === "moved" || kind === "copied")
    return [`${kind} from `, { code: from === undefined ? "" : printAddress(from) }];
  if (kind === "rolled-back")
    return [
      `earlier value again, as in `,
      { code: earlier?.slice(0, 9) ?? "" },
      before === undefined ? ", it was removed" : "",
    ];
  if (isUnproven) return ["other bytes, same value id and generation"];
  const words = {
    added: "added",
    changed: "new value",
    removed: "removed",
    unreadable: "changed, cannot be read",
    resealed: isAdopted ? "adopted" : "sealed again",
  } as const;
  return [`${words[kind]}${drop}`];
}

function listComments({ scopes }: Report): Section[] {
  const commented = scopes.filter(({ comments }) => comments > 0);
  if (commented.length === 0) return [];
  const rows = commented.map(({ scope, comments }): Cell => [{ code: scope }, ` (${comments})`]);
  return [{ title: `Comments changed in ${count(commented.length, "scope")}`, isFolded: true, bullets: rows }];
}

function listAccessPolicy({ policy, files }: Report): Section[] {
  const important = policy.toSorted((a, b) => Number(a.level === "note") - Number(b.level === "note"));
  const bullets = [
    ...important.map(({ text }): Cell => [text]),
    ...files.map((path): Cell => [{ from: path }, " is another"]),
  ];
  return bullets.length === 0 ? [] : [{ title: "Policies", isFolded: false, bullets }];
}

function listRotation({ rotation }: Report): Section[] {
  if (rotation.length === 0) return [];
  const rules = rotation.filter(({ kind }) => kind !== "added");
  const added = rotation.length - rules.length;
  const bullets = [
    ...rules.map((change): Cell => [`${sayRuleChange(change)}${change.isWeaker ? " (asks for less)" : ""}`]),
    ...(added === 0 ? [] : [[`rules are there now for ${count(added, "secret")} that had none`]]),
  ];
  return [{ title: "Rotation rules", isFolded: bullets.length > openSecrets, bullets }];
}

function joinCode(addresses: readonly Address[]): Cell {
  return addresses.flatMap(({ name }, index): Span[] => [...(index === 0 ? [] : [", "]), { code: name }]);
}
