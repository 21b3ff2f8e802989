/** Every metric of a host. docs/operations.md has the same table, and a test keeps them equal. */
import type { Family } from "./exposition.ts";

const counter = (help: string): Family => ({ type: "counter", help });
const gauge = (help: string): Family => ({ type: "gauge", help });
const histogram = (help: string): Family => ({ type: "histogram", help });

export const FAMILIES = {
  switchback_up: gauge(
    "1 if the process answered within 500 ms, 0 if not: starting, wedged or down.",
  ),
  switchback_process_cpu_seconds_total: counter("CPU time of the process since it started."),
  switchback_process_resident_memory_bytes: gauge("Memory in use by the process."),
  switchback_process_open_fds: gauge("Open file descriptors of the process."),
  switchback_process_start_time_seconds: gauge("When the process started, since the epoch."),

  switchback_event_loop_lag_seconds: gauge(
    "How late the supervisor's event loop ran, since the metrics were read last.",
  ),
  switchback_connections: gauge("Connections of visitors and API clients that are open."),
  switchback_requests_total: counter(
    "Requests that a process answered, by where they went and status.",
  ),
  switchback_requests_failed_total: counter("Requests that the host answered itself, by reason."),
  switchback_requests_held_total: counter("Requests that had to wait for a process."),
  switchback_requests_holding: gauge("Requests that wait for a process now."),
  switchback_requests_retried_total: counter(
    "Requests sent once more because their process ended.",
  ),

  switchback_gateways: gauge("Gateway processes that serve, by kind."),
  switchback_gateway_starts_total: counter("Gateway processes that have been started."),
  switchback_gateway_losses_total: counter("Gateway processes that ended though nobody wanted it."),
  switchback_store_starts_total: counter(
    "Starts of the processes that keep what Workers store, the first one included.",
  ),
  switchback_control_starts_total: counter(
    "Starts of the control process, the first one included.",
  ),
  switchback_recovery_seconds: histogram(
    "From the first sign that a gateway was lost until another served in its place.",
  ),
  switchback_suspects: gauge("Hosts that are served apart because their process was lost."),
  switchback_versions_stopped_total: counter("Versions whose breaker has tripped."),
  switchback_log_lines_suppressed_total: counter("Lines of gateways left out of the log."),

  switchback_gateway_requests_total: counter("Visitors' requests in gateways, by outcome."),
  switchback_gateway_request_duration_seconds: histogram(
    "From a request's arrival at its gateway to the head of the answer.",
  ),
  switchback_gateway_stale_answers_total: counter(
    "Answers while the control plane was out of reach.",
  ),
  switchback_gateway_version_loads_total: counter("Versions given to the runtime."),
  switchback_gateway_version_load_failures_total: counter("Versions that did not load."),
  switchback_gateway_version_evictions_total: counter("Versions that were unloaded."),
  switchback_gateway_websockets_total: counter("WebSockets that gateways have relayed."),
  switchback_gateway_lease_asks_total: counter("Leases that gateways asked for."),
  switchback_gateway_ledger_reads_total: counter(
    "Reads of the history because a lock did not answer.",
  ),
  switchback_gateway_loaded_versions: gauge("Versions loaded in the gateway."),
  switchback_gateway_requests_in_flight: gauge("Requests without the head of an answer."),
  switchback_gateway_websockets: gauge("WebSockets that the gateway relays now."),
  switchback_gateway_draining: gauge("1 if the gateway is to be replaced."),
  switchback_worker_requests_total: counter(
    "Visitors' requests by Worker id; the rest under an empty one.",
  ),
  switchback_worker_errors_total: counter(
    "Of these, those that the gateway answered with an error.",
  ),

  switchback_api_requests_total: counter("Requests to the API by method, route and status."),
  switchback_control_asks_total: counter("What gateways asked of the control plane, by call."),
  switchback_control_events_total: counter("Lines that the control plane logged, by event."),
} as const satisfies Record<string, Family>;

export type FamilyName = keyof typeof FAMILIES;
