/** Text as it stands in HTML, in an element or in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

const style = `
:root { color-scheme: light dark; --line: light-dark(#d8dee4, #373e47); --dim: light-dark(#656d76, #8b949e); --mark: light-dark(#ddf4e4, #1b4229); }
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; }
h1 { font-size: 1.3rem; margin: 0 0 .3rem; }
p { color: var(--dim); margin: 0 0 1rem; }
table { border-collapse: collapse; }
th, td { border: 1px solid var(--line); padding: .25rem .6rem; text-align: left; }
thead th { position: sticky; top: 0; background: Canvas; }
tbody th { font: 13px ui-monospace, monospace; }
td { font: 13px ui-monospace, monospace; text-align: center; white-space: pre; }
td.some { background: var(--mark); }
td.none { color: var(--dim); }
`;

/** A whole page that loads nothing and runs nothing. `body` is HTML already, `ownStyle` CSS of ours. */
export function printHtmlPage(title: string, body: string, ownStyle = ""): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${style}${ownStyle}</style>
</head>
<body>
${body}
</body>
</html>`;
}
