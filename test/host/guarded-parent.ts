/** A host on paper: guards the processes it is given, says so, and waits to be killed. */
import { startOrphanGuard } from "../../src/host/orphan-guard.ts";

const [pidFile = "", ...pids] = process.argv.slice(2);
const guard = startOrphanGuard(pidFile);
for (const pid of pids) guard.add(Number(pid));
guard.remove(Number(pids[0]));
process.stdout.write("guards\n");
setInterval(() => undefined, 1_000);
