/** What sealtree needs of the repository: what the policy says, and what the workflows of github-setup use. */
export interface SettingWants {
  /** Address of the REST API, such as `https://api.github.com`. */
  readonly api: string;
  /** The branch that the workflows were written for. */
  readonly branch: string;
  readonly signing: "off" | "warn" | "require";
  /** Names of the checks that a pull request must pass, as the workflows report them. */
  readonly checks: readonly string[];
  /** The lines between our two markers as the policy asks for them; or why there can be none, with what to do. */
  readonly codeowners: { readonly block: readonly string[] } | { readonly problem: string; readonly hint: string };
  readonly environments: readonly WantedEnvironment[];
  /** What github-setup would write now. */
  readonly workflows: readonly WantedWorkflow[];
  /** What these use besides actions of this repository, as `owner/name@commit`. */
  readonly actions: readonly string[];
  readonly rotation: WantedRotation | undefined;
}

export interface WantedEnvironment {
  readonly name: string;
  /** Secrets that must be in it and nowhere else, such as SEALTREE_IDENTITY. */
  readonly secrets: readonly string[];
  /** Whether somebody must approve its jobs, or nobody may have to, as they run at night, or either will do. */
  readonly reviewers: "required" | "none" | "any";
}

export interface WantedWorkflow {
  /** From the root. */
  readonly path: string;
  readonly text: string;
  readonly isScheduled: boolean;
}

export interface WantedRotation {
  /** The branch that it records on for a pull request; undefined when it pushes to the default branch. */
  readonly branch: string | undefined;
  /** Whether the pull request is opened with the job's own token, not that of a GitHub App. */
  readonly usesJobToken: boolean;
  /** Whether another workflow or repository says when it stops running. */
  readonly hasHeartbeat: boolean;
}
