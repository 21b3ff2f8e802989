/** The processes of one host, as the kernel shows them below the launcher. Linux only. */
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";

export type ProcessKind =
  | "launcher"
  | "supervisor"
  /** The shell that ends what a killed supervisor leaves behind. */
  | "guard"
  | "control"
  | "data"
  | "sql"
  | "objects"
  | "pool"
  | "quarantine"
  | "trial";

export interface HostProcess {
  readonly pid: number;
  readonly kind: ProcessKind;
  /** As the log names it: `g1`, `g2`, … for gateways, else the kind. */
  readonly name: string;
}

/** The launcher itself and everything below it, parents first. Empty if it has ended. */
export function processesBelow(launcher: number): HostProcess[] {
  const children = new Map<number, number[]>();
  for (const pid of runningPids()) {
    const parent = parentOf(pid);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found: HostProcess[] = [];
  const add = (pid: number): void => {
    const process = describe(pid, pid === launcher);
    if (process) found.push(process);
    for (const child of children.get(pid) ?? []) add(child);
  };
  add(launcher);
  return found;
}

/** Whether such a process runs; one that has ended and is not yet waited for does not. */
export function isRunning(pid: number): boolean {
  return parentOf(pid) !== undefined;
}

const runningPids = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

function parentOf(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === undefined || state === "" || state === "Z" ? undefined : Number(parent);
}

function describe(pid: number, isLauncher: boolean): HostProcess | undefined {
  const command = read(`/proc/${pid}/cmdline`).split("\0");
  const known = (kind: ProcessKind): HostProcess => ({ pid, kind, name: kind });
  if (command[0] === "") return undefined;
  if (isLauncher) return known("launcher");
  if (command.some((word) => word.endsWith("supervise.ts"))) return known("supervisor");
  if (command[0] === "/bin/sh") return known("guard");
  const config = command.find((word) => word.endsWith(".capnp"));
  if (config !== undefined)
    return { pid, kind: gatewayKind(config), name: basename(config, ".capnp") };
  if (!command[0]?.includes("workerd")) return undefined;
  return known(
    (/\bSWITCHBACK_PROCESS=(data|sql)\b/.exec(read(`/proc/${pid}/environ`))?.[1] as
      | "data"
      | "sql") ?? "control",
  );
}

/** A gateway's configuration tells what it is for: the trials' has a fixed socket, one for suspects announces. */
function gatewayKind(configFile: string): ProcessKind {
  const config = read(configFile);
  if (config.includes("trial-in.sock")) return "trial";
  if (config.includes('"OBJECT_HOSTS"')) return "objects";
  return config.includes('"SUPERVISOR"') ? "quarantine" : "pool";
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
