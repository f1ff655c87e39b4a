// Writes docs/images/review.png and docs/images/review-markdown.png: the report of a large change
// as a page, and as GitHub shows it in a comment; and docs/images/rotation.png: the calendar of the
// rotations as a page. Takes Chromium (CHROMIUM, or `chromium` on the
// path) and fetches GitHub's style sheet and a Markdown renderer from npm.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { makeLargeChange } from "../bench/large-change.js";
import { makeRepository } from "../bench/repository.js";
import { makeRotationPage } from "./rotation-calendar.js";

const packages = { "github-markdown-css": "5.9.0", micromark: "4.0.3", "micromark-extension-gfm": "3.0.0" };
const images = fileURLToPath(new URL("../docs/images/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sealtree-screenshots-"));
const repository = makeRepository("x25519");
const rotating = makeRepository("x25519");
try {
  makeLargeChange(repository);
  const review = (form) => repository.sealtree(["review", "before..change", form]).stdout.toString();
  takeShot("rotation.png", makeRotationPage(rotating), "1180,1280");
  takeShot("review.png", review("--html"), "1100,1400");
  takeShot("review-markdown.png", await renderAsGithub(review("--markdown")), "960,1530");
} finally {
  repository.remove();
  rotating.remove();
  rmSync(folder, { recursive: true, force: true });
}

/** Markdown as a page with GitHub's own style sheet. */
async function renderAsGithub(markdown) {
  const wanted = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  execFileSync("npm", ["install", "--silent", "--no-save", "--ignore-scripts", "--prefix", folder, ...wanted]);
  const { resolve } = createRequire(join(folder, "package.json"));
  const load = async (name) => await import(pathToFileURL(resolve(name)).href);
  const [{ micromark }, { gfm, gfmHtml }] = [await load("micromark"), await load("micromark-extension-gfm")];
  const options = { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] };
  const style = readFileSync(resolve("github-markdown-css/github-markdown-light.css"), "utf8");
  const frame = "body { max-width: 860px; margin: 24px auto; padding: 0 24px }";
  return `<meta charset="utf-8"><style>${style}${frame}</style><body class="markdown-body">${micromark(markdown, options)}`;
}

function takeShot(name, html, size) {
  const page = join(folder, `${name}.html`);
  writeFileSync(page, html);
  execFileSync(
    process.env.CHROMIUM ?? "chromium",
    [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--hide-scrollbars",
      `--user-data-dir=${join(folder, "profile")}`,
      `--window-size=${size}`,
      `--screenshot=${join(images, name)}`,
      pathToFileURL(page).href,
    ],
    { stdio: "ignore", timeout: 120_000 },
  );
  process.stdout.write(`docs/images/${name}\n`);
}
