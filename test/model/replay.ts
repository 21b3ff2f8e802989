/** The same world driven by a list of commands, so that a schedule that breaks the promise shrinks to a readable one. */
import fc from "fast-check";
import type { Draw } from "./clock.ts";
import type { Core, Faults } from "./core.ts";
import { noCounts, World } from "./world.ts";

const MOVES = {
  wait: (world, n) => world.wait(1 + n),
  idle: (world, n) => world.wait(40 * n),
  visit: (world, n) => world.visit(n),
  refresh: (world, n) => world.refresh(n),
  visitByLedger: (world) => world.visitByLedger(),
  deliver: (world, n) => world.deliver(n, 0),
  deliverToTwin: (world, n) => world.deliver(n, 1),
  lose: (world, n) => world.lose(n),
  double: (world, n) => world.double(n),
  stepBack: (world, n) => world.stepBack(n, 1 + 10 * n),
  begin: (world) => world.begin(),
  write: (world) => {
    world.send();
    world.writeArrives(0, false, false);
  },
  send: (world) => world.send(),
  writeArrives: (world, n) => world.writeArrives(n, n % 2 === 1, n % 5 === 4),
  flip: (world) => world.flip(),
  flipAndAcknowledge: (world) => {
    world.flip();
    world.acknowledge();
  },
  acknowledge: (world) => world.acknowledge(),
  giveUp: (world) => world.giveUp(),
  boot: (world) => world.boot(false),
  bootBesideTwin: (world) => world.boot(true),
  changeTerms: (world, n) => world.changeTerms(n),
} as const satisfies Record<string, (world: World, n: number) => unknown>;

type Move = keyof typeof MOVES;
export type Command = readonly [Move, number];

const OFTEN: readonly Move[] = ["wait", "visit", "deliver", "write", "flipAndAcknowledge", "begin"];
const RARELY: readonly Move[] = [
  "stepBack",
  "lose",
  "double",
  "giveUp",
  "changeTerms",
  "idle",
  "acknowledge",
  "visitByLedger",
];
const weightOf = (move: Move): number => (OFTEN.includes(move) ? 6 : RARELY.includes(move) ? 1 : 3);

export interface Schedule {
  readonly commands: readonly Command[];
  /** What the world draws from: the clocks, and the terms of each instance. */
  readonly draws: readonly number[];
}

/** Without `size: "max"` the lists stay so short that several planted bugs are never found. */
export const schedules = (steppingClocks: boolean): fc.Arbitrary<Schedule> =>
  fc.record({
    commands: fc.array(
      fc.tuple(
        fc.oneof(
          ...(Object.keys(MOVES) as Move[])
            .filter((move) => steppingClocks || move !== "stepBack")
            .map((move) => ({ weight: weightOf(move), arbitrary: fc.constant(move) })),
        ),
        fc.nat(15),
      ),
      { minLength: 10, maxLength: 120, size: "max" },
    ),
    draws: fc.array(fc.nat(9_999), { minLength: 16, maxLength: 16 }),
  });

/** The first breach of the promise, or null. */
export function replay(core: Core, faults: Faults, { commands, draws }: Schedule): string | null {
  let drawn = 0;
  const draw: Draw = (n) => (draws[drawn++ % draws.length] ?? 0) % n;
  const world = new World(core, faults, 2, draw, noCounts());
  for (const [move, n] of commands) {
    MOVES[move](world, n);
    if (world.breach !== null) return world.breach;
  }
  world.finish();
  return world.breach;
}
