/** Every limit of the launcher, with its unit. */

/** Connections that the kernel keeps for whoever accepts next; Linux cuts it to net.core.somaxconn. */
export const LISTEN_BACKLOG = 4_096;
/** Supervisors that died within the window before the launcher gives up. */
export const SUPERVISOR_DEATHS_MAX = 10;
/** The window over which deaths of supervisors are counted, in milliseconds. */
export const SUPERVISOR_DEATHS_WINDOW_MS = 60_000;
/** Pause before the second restart in a row, in milliseconds; it doubles with each further one. The first has none. */
export const RESTART_PAUSE_MS = 100;
/** The longest pause before a restart, in milliseconds. */
export const RESTART_PAUSE_MS_MAX = 5_000;
/** How long a new supervisor may take to read its settings and its script, in milliseconds. */
export const PREPARE_MS_MAX = 30_000;
/** How long the old supervisor may take to end its control process, in milliseconds. */
export const YIELD_MS_MAX = 30_000;
/** How long a new supervisor may take to migrate and to serve, in milliseconds. API requests wait meanwhile. */
export const TAKE_MS_MAX = 120_000;
/** How long a retired supervisor may take to drain before it is killed, in milliseconds. It drains by limits of its own. */
export const RETIRE_MS_MAX = 600_000;
