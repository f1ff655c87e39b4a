/** Where signals come from: `process`, outside of tests. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

/** Signals that end a program and can be caught. */
export const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** Signals that a terminal sends to every program in the foreground by itself. */
export const sentByTerminal: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];
