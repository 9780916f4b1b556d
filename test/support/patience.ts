// How long tests wait for what ought to come: they do not depend on speed, and end before their time limit to say what was missing.

export const PATIENCE_MS = 100_000
