import type { CommandEntry } from "./program.ts";

/** The commands of the group `delivery`, for the table of all. */
export const deliveryEntries: Readonly<Record<string, CommandEntry>> = {
  deploy: {
    group: "delivery",
    summary: "bring the places that hold the values in order",
    load: async () => (await import("./commands/deploy.ts")).deploy,
  },
  drift: {
    group: "delivery",
    summary: "compare the places that hold the values with the repository",
    load: async () => (await import("./commands/drift.ts")).drift,
  },
  render: {
    group: "use",
    summary: "put values into a config file",
    load: async () => (await import("./commands/render.ts")).render,
  },
  provision: {
    group: "start",
    summary: "make the secrets of a new environment from a template",
    load: async () => (await import("./commands/provision.ts")).provision,
  },
  "github-setup": {
    group: "operate",
    summary: "write the workflows of GitHub Actions",
    load: async () => (await import("./commands/github-setup.ts")).githubSetup,
  },
};
