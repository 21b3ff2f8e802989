/** The first request to a version that this gateway has never run, by the size of its code. */
import type { Lab } from "../measure/lab.ts";
import { shuffled, spreadOf } from "../measure/statistics.ts";
import type { Row } from "../measure/table.ts";
import { timed } from "../measure/timed.ts";
import { codeOfSize, deploy, putWorker, uploadVersion } from "../servers/deployed-worker.ts";

const SIZES = [
  { name: "one-kb", text: "1 KB", bytes: 1_000 },
  { name: "one-mb", text: "1 MB", bytes: 1_000_000 },
] as const;

export async function benchmarkColdLoad(lab: Lab): Promise<Row[]> {
  const host = await lab.host();
  const api = lab.api(host);
  const samples = SIZES.map((size) => ({
    ...size,
    upload: [] as number[],
    first: [] as number[],
    second: [] as number[],
  }));
  for (const { name } of samples) {
    await putWorker(api, name);
    await api.visit(`${name}.localhost`);
  }
  for (let round = 1; round <= (lab.quick ? 3 : 31); round++) {
    for (const { name, bytes, upload, first, second } of shuffled(samples)) {
      const mark = `${name}-${round}`;
      const code = codeOfSize(bytes, mark);
      const [versionId, uploadMs] = await timed(() => uploadVersion(api, name, code));
      await deploy(api, name, versionId, mark);
      for (const times of [first, second]) {
        const [answer, ms] = await timed(() => api.visit(`${name}.localhost`));
        if (answer.body !== mark) throw new Error(`${name} answered ${answer.body}, not ${mark}`);
        times.push(ms);
      }
      upload.push(uploadMs);
    }
  }
  return samples.flatMap(({ text, first, second, upload }) => [
    row(`first request to a new version, ${text}`, first),
    row(`second request, ${text}`, second),
    row(`upload of a version with its start check, ${text}`, upload),
  ]);
}

const row = (what: string, samples: readonly number[]): Row => ({
  benchmark: "cold-load",
  what,
  unit: "ms",
  result: spreadOf(samples),
});
