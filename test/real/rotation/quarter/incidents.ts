import type { ServiceFault } from "./credential-service.ts";
import type { Kill } from "./run-job.ts";
import { createRandom, type Kind, type Size } from "./team-plan.ts";

/**
 * What goes wrong, or comes in between, from a day on. What needs a rotation to hit, such as a lost answer, waits
 * for the next one.
 */
export type Incident = { readonly day: number } & (
  | { readonly what: "provider fault"; readonly how: ServiceFault["how"] }
  | { readonly what: "provider down"; readonly kind: Kind; readonly days: number }
  | { readonly what: "push refused"; readonly days: number }
  | { readonly what: "push answer lost" }
  | { readonly what: "killed"; readonly kill: Kill }
  | { readonly what: "two jobs" }
  | { readonly what: "skipped"; readonly days: number }
  | { readonly what: "target down"; readonly days: number }
  | { readonly what: "GitHub down"; readonly days: number }
  | { readonly what: "developer" }
  | { readonly what: "offboarded" }
);

/** Whether the incident is a state that lasts on `day`. */
export function isOn(incident: Incident, day: number): boolean {
  return day >= incident.day && day < incident.day + ("days" in incident ? incident.days : 1);
}

/** Words for the page and the picture. */
export function describeIncident(incident: Incident): string {
  switch (incident.what) {
    case "provider fault":
      return {
        "500": "the provider answers 500 to a change",
        "429": "the provider answers 429 to a change",
        "lost answer": "the provider does a change, and its answer is lost",
        silence: "the provider does a change, and never answers",
      }[incident.how];
    case "provider down":
      return `the provider of ${incident.kind} is down`;
    case "push refused":
      return "the git server takes no push";
    case "push answer lost":
      return "the git server takes a push, and its answer is lost";
    case "killed":
      return `the job is killed at ${incident.kill.point}`;
    case "two jobs":
      return "two jobs run at once";
    case "skipped":
      return "the scheduler starts no job";
    case "target down":
      return "the target vault is down";
    case "GitHub down":
      return "GitHub's API is down";
    case "developer":
      return "a developer pushes while the job runs";
    case "offboarded":
      return "a member is offboarded, and what they could read is rotated";
  }
}

type Template = Incident extends infer Each ? (Each extends Incident ? Omit<Each, "day"> : never) : never;

const whole: readonly Template[] = [
  { what: "provider fault", how: "500" },
  { what: "killed", kill: { point: "mint:after", occurrence: 1 } },
  { what: "provider fault", how: "lost answer" },
  { what: "two jobs" },
  { what: "provider down", kind: "keys", days: 2 },
  { what: "push answer lost" },
  { what: "developer" },
  { what: "killed", kill: { point: "push:after", occurrence: 2 } },
  { what: "provider fault", how: "429" },
  { what: "push refused", days: 1 },
  { what: "killed", kill: { point: "apply:after", occurrence: 1 } },
  { what: "skipped", days: 2 },
  { what: "offboarded" },
  { what: "provider fault", how: "silence" },
  { what: "target down", days: 2 },
  { what: "developer" },
  { what: "provider fault", how: "lost answer" },
  { what: "GitHub down", days: 2 },
  { what: "provider down", kind: "passwords", days: 2 },
  { what: "killed", kill: { point: "revoke:after", occurrence: 1 } },
  { what: "two jobs" },
  { what: "provider fault", how: "500" },
  { what: "push answer lost" },
  { what: "provider down", kind: "keys by a program", days: 1 },
  { what: "killed", kill: { point: "commit:after", occurrence: 3 } },
  { what: "provider fault", how: "429" },
  { what: "developer" },
];

const some: readonly Template[] = [
  { what: "provider fault", how: "500" },
  { what: "killed", kill: { point: "mint:after", occurrence: 1 } },
  { what: "provider fault", how: "lost answer" },
  { what: "two jobs" },
  { what: "push refused", days: 1 },
  { what: "provider down", kind: "keys", days: 1 },
  { what: "developer" },
  { what: "skipped", days: 1 },
  { what: "offboarded" },
  { what: "GitHub down", days: 1 },
  { what: "target down", days: 1 },
];

/** The days before the end that are left quiet, so that what was begun can end. */
const quietDays = 4;

/** The same incidents for the same size, one after the other, on days that the seed gives. */
export function planIncidents({ days }: Size): Incident[] {
  const random = createRandom(11);
  const templates = days > 60 ? whole : some;
  const room = (days - quietDays - 2) / templates.length;
  return templates.map((template, index) => ({ ...template, day: 1 + Math.floor((index + random() * 0.7) * room) }));
}
