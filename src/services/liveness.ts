/** Whether a credential is let in. `unknown`: the service could not be asked, or not now. */
export type Liveness = "live" | "dead" | "unknown";
