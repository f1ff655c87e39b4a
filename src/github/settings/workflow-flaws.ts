import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document, type Node } from "yaml";
import { isIdentityName } from "./identity-name.ts";

/** Something in a workflow that lets others at what its jobs have. */
export interface WorkflowFlaw {
  readonly rule: "workflow-pinned" | "workflow-foreign-code" | "workflow-identity";
  /** One-based. */
  readonly line: number;
}

/** How much of a workflow is looked into; GitHub's own limit on one is 500 KB. */
const maxText = 1024 * 1024;
const maxDepth = 40;

/**
 * What is wrong in the text of a workflow: actions and images that are not named by content, foreign
 * code checked out where secrets are, and identities outside of an environment. Undefined for what is no
 * YAML that could be looked into. Runs nothing of it, and follows no reusable workflow.
 */
export function findWorkflowFlaws(text: string): WorkflowFlaw[] | undefined {
  if (text.length > maxText) return undefined;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const root = document.contents;
  if (document.errors.length > 0 || !isMap(root) || hasLooseAlias(document)) return undefined;
  const flaws: WorkflowFlaw[] = [];
  const add = (rule: WorkflowFlaw["rule"], node: Node) => {
    flaws.push({ rule, line: lines.linePos(node.range?.[0] ?? 0).line });
  };
  const reader: Reader = { document, add };
  const isForeign = triggersOf(reader, root).some((it) => it === "pull_request_target" || it === "workflow_run");
  // What stands above the jobs is in all of them.
  const jobs = get(reader, root, "jobs");
  const shared = [...entriesOf(reader, root)].filter(([key]) => key !== "jobs").map(([, node]) => node);
  const sharesIdentity = shared.some((node) => textsOf(reader, node).some(({ text: it }) => readsIdentity(it)));
  for (const [, job] of entriesOf(reader, jobs)) checkJob(reader, job, isForeign, sharesIdentity);
  return flaws;
}

interface Reader {
  readonly document: Document;
  add(rule: WorkflowFlaw["rule"], node: Node): void;
}

function checkJob(reader: Reader, job: Node, isForeign: boolean, sharesIdentity: boolean): void {
  const texts = textsOf(reader, job);
  const hasEnvironment = get(reader, job, "environment") !== undefined;
  const reading = texts.find(({ text }) => readsIdentity(text));
  if (!hasEnvironment && (reading !== undefined || sharesIdentity)) {
    reader.add("workflow-identity", reading?.node ?? job);
  }
  if (!hasEnvironment && textOf(reader, get(reader, job, "secrets")) === "inherit")
    reader.add("workflow-identity", job);
  checkUse(reader, get(reader, job, "uses"));
  for (const step of itemsOf(reader, get(reader, job, "steps"))) {
    const uses = get(reader, step, "uses");
    checkUse(reader, uses);
    if (isForeign && isForeignStep(reader, step, textOf(reader, uses))) reader.add("workflow-foreign-code", step);
  }
}

function checkUse(reader: Reader, node: Node | undefined): void {
  const use = textOf(reader, node);
  if (node !== undefined && use !== undefined && !isPinned(use)) reader.add("workflow-pinned", node);
}

/** Of this repository at this commit, by a full commit, or an image by its digest. */
function isPinned(use: string): boolean {
  if (use.startsWith("./")) return true;
  if (use.startsWith("docker://")) return /@sha256:[0-9a-f]{64}$/.test(use);
  return /^[^@\s]+@(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(use);
}

/** Gets what a pull request brings in: with a checkout of another ref or repository, or by hand. */
function isForeignStep(reader: Reader, step: Node, uses: string | undefined): boolean {
  const run = textOf(reader, get(reader, step, "run")) ?? "";
  if (/\bgh\s+pr\s+checkout\b|refs\/pull\/|\bpull\/[^\s]*\/(?:head|merge)\b/.test(run)) return true;
  if (foreignRef.test(run) && /\bgit\b/.test(run)) return true;
  if (uses === undefined || !/^actions\/checkout@/i.test(uses)) return false;
  const given = get(reader, step, "with");
  const asked = ["ref", "repository"].flatMap((name) => textOf(reader, get(reader, given, name)) ?? []);
  return asked.some((it) => foreignRef.test(it) || /refs\/pull\//.test(it));
}

/** Names of a pull request's commit, branch or repository in expressions. */
const foreignRef =
  /\bgithub\s*\.\s*head_ref\b|\bpull_request\s*\.\s*(?:head|merge_commit_sha|number)\b|\bevent\s*\.\s*(?:number|inputs)\b|\bworkflow_run\s*\.\s*(?:head_|pull_requests)/;

/** True for an expression that reads an identity from the secrets, or all of them. */
function readsIdentity(text: string): boolean {
  const named = [...text.matchAll(/\bsecrets\s*(?:\.\s*|\[\s*['"])([A-Za-z0-9_]+)/gi)].map(([, name = ""]) => name);
  return named.some((name) => isIdentityName(name)) || /\btojson\s*\(\s*secrets\s*\)/i.test(text);
}

function triggersOf(reader: Reader, root: Node): string[] {
  const on = get(reader, root, "on");
  const single = textOf(reader, on);
  if (single !== undefined) return [single];
  return [
    ...entriesOf(reader, on).map(([key]) => key),
    ...itemsOf(reader, on).flatMap((item) => textOf(reader, item) ?? []),
  ];
}

/** One that stands for nothing: GitHub does not run such a workflow. */
function hasLooseAlias(document: Document): boolean {
  let isLoose = false;
  visit(document, {
    Alias(_key, node) {
      isLoose ||= node.resolve(document) === undefined;
    },
  });
  return isLoose;
}

function resolve({ document }: Reader, node: unknown): Node | undefined {
  if (isAlias(node)) return node.resolve(document);
  return isMap(node) || isSeq(node) || isScalar(node) ? node : undefined;
}

function entriesOf(reader: Reader, node: Node | undefined): [string, Node][] {
  if (!isMap(node)) return [];
  return node.items.flatMap(({ key, value }) => {
    const found = resolve(reader, value);
    const name = isScalar(key) ? String(key.value) : "";
    return found === undefined ? [] : [[name, found] as [string, Node]];
  });
}

function itemsOf(reader: Reader, node: Node | undefined): Node[] {
  return isSeq(node) ? node.items.flatMap((item) => resolve(reader, item) ?? []) : [];
}

function get(reader: Reader, node: Node | undefined, name: string): Node | undefined {
  return entriesOf(reader, node).find(([key]) => key === name)?.[1];
}

function textOf(_reader: Reader, node: Node | undefined): string | undefined {
  return isScalar(node) && typeof node.value === "string" ? node.value : undefined;
}

/** Every text in a part of the workflow. An alias is followed once, so that none can grow without end. */
function textsOf(reader: Reader, node: Node, seen = new Set<Node>(), depth = 0): { text: string; node: Node }[] {
  if (seen.has(node) || depth > maxDepth) return [];
  seen.add(node);
  const own = textOf(reader, node);
  if (own !== undefined) return [{ text: own, node }];
  const below = [...entriesOf(reader, node).map(([, it]) => it), ...itemsOf(reader, node)];
  return below.flatMap((it) => textsOf(reader, it, seen, depth + 1));
}
