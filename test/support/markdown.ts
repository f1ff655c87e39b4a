import { posix } from "node:path";

/** Headings of a Markdown page, outside code blocks, without their marks. */
export function headingsOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, heading = ""]) => heading.replaceAll("`", ""));
}

/**
 * Links between pages that lead nowhere: to a file that is not in `paths`, or to a heading that
 * the page does not have. `pages` is path to text; paths are relative to the repository. One
 * sentence a finding.
 */
export function findDeadLinks(pages: ReadonlyMap<string, string>, paths: ReadonlySet<string>): string[] {
  return [...pages].flatMap(([page, text]) =>
    [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
      if (/^[a-z]+:/.test(link)) return [];
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : posix.normalize(posix.join(posix.dirname(page), path)).replace(/\/$/, "");
      if (!paths.has(target)) return [`${page} links to ${target}, which is not there`];
      const aim = pages.get(target);
      if (anchor === undefined || aim === undefined || headingsOf(aim).map(anchorOf).includes(anchor)) return [];
      return [`${page} links to ${target}#${anchor}, which has no such heading`];
    }),
  );
}

/** Paths in backticks below src, test, scripts, bench or docs that are not in `paths`. One sentence a finding. */
export function findDeadPaths(pages: ReadonlyMap<string, string>, paths: ReadonlySet<string>): string[] {
  return [...pages].flatMap(([page, text]) =>
    [...text.matchAll(/`((?:src|test|scripts|bench|docs)\/[\w./-]*)`/g)].flatMap(([, path = ""]) =>
      paths.has(path.replace(/\/$/, "")) ? [] : [`${page} names ${path}, which is not there`],
    ),
  );
}

function withoutCode(text: string): string {
  return text.replaceAll(/^ *(```+|~~~+)[^\n]*\n[\s\S]*?^ *\1 *$/gm, "");
}

/** The anchor GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
}
