/** The repository as its pages and `gh` name it, for hints. */
export interface RepositoryPlace {
  /** Address of a page below the repository's, such as `settings/rules`. */
  page(path: string): string;
  /** A `gh api` command for a path below the repository's. */
  api(path: string, options: string): string;
  /** Another `gh` command for the repository. */
  gh(words: string): string;
  /** The number of GitHub Actions among the apps; undefined where it is another on every server. */
  readonly actionsApp: number | undefined;
}

/** A name as one word of a command that somebody may copy into a shell. */
export function shellWord(text: string): string {
  return /^[\w./@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Where the pages of a repository are, by the address of its API: no address that a server gave is shown. */
export function placeOf(api: string, owner: string, name: string): RepositoryPlace {
  const { host } = new URL(api);
  const web = host === "api.github.com" ? "github.com" : host.replace(/^api\.(?=.*\.ghe\.com$)/, "");
  const isPublic = web === "github.com";
  const repository = `${owner}/${name}`;
  return {
    page: (path) => `https://${web}/${repository}/${path}`,
    api: (path, options) =>
      `gh api ${isPublic ? "" : `--hostname ${web} `}${options === "" ? "" : `${options} `}repos/${repository}/${path}`,
    gh: (words) => `gh ${words} --repo ${isPublic ? "" : `${web}/`}${repository}`,
    actionsApp: isPublic ? 15368 : undefined,
  };
}
