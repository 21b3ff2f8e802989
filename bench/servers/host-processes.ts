/** Which processes a running host consists of, as the operating system lists them. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Process ids. */
export interface HostProcesses {
  /** Launcher and supervisor. */
  readonly node: readonly number[];
  /** The control process, or the one process that is everything. */
  readonly control: readonly number[];
  /** Those that serve visitors. */
  readonly gateways: readonly number[];
  readonly trial: readonly number[];
  readonly all: readonly number[];
}

interface Listed {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** `root`: the process that was started. */
export function hostProcesses(root: number): HostProcesses {
  const tree = treeOf(root);
  const runtimes = tree.filter(({ command }) => /workerd\S* serve/.test(command));
  const configs = runtimes.map(({ pid, command }) => {
    const file = / (\/\S+\/g\d+\.capnp)/.exec(command)?.[1];
    return { pid, config: file === undefined ? undefined : readFileSync(file, "utf8") };
  });
  const pids = (listed: readonly { readonly pid: number }[]) => listed.map(({ pid }) => pid);
  const isTrial = (config: string | undefined) => config?.includes("/trial-in.sock") === true;
  const isGateway = (config: string | undefined) => config !== undefined && !isTrial(config);
  return {
    node: pids(tree.filter(({ command }) => /node\S* /.test(command) && !isRuntime(command))),
    control: pids(configs.filter(({ pid, config }) => config === undefined && !isStore(pid))),
    gateways: pids(configs.filter(({ config }) => isGateway(config))),
    trial: pids(configs.filter(({ config }) => isTrial(config))),
    all: pids(tree),
  };
}

/** One that keeps what Workers store, or a process of Durable Objects. */
function isStore(pid: number): boolean {
  try {
    return (
      readFileSync(`/proc/${pid}/environ`, "utf8").includes("SWITCHBACK_PROCESS=") ||
      / \/\S+\/o\d+\.capnp/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "))
    );
  } catch {
    return false;
  }
}

const isRuntime = (command: string) => /workerd\S* serve/.test(command);

function treeOf(root: number): Listed[] {
  const all = process.platform === "linux" ? listedByKernel() : listedByPs();
  const tree = all.filter(({ pid }) => pid === root);
  // Grows while it is gone through.
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

function listedByKernel(): Listed[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "latin1");
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
        return [{ pid: Number(name), parent, command }];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
}

function listedByPs(): Listed[] {
  return execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" })
    .split("\n")
    .flatMap((line) => {
      const [, pid, parent, command = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
      return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
    });
}
