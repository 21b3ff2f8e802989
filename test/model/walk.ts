/** A random walk through the model: deterministic in its seed, so that a breach can be walked again. */
import { seededDraw, type Draw } from "./clock.ts";
import type { Core, Faults } from "./core.ts";
import { noCounts, World, type Counts } from "./world.ts";

export interface WalkOptions {
  readonly runs: number;
  readonly stepsPerRun: number;
  readonly firstSeed: number;
  readonly faults?: Faults;
  /** Holders' clocks are set back now and then. */
  readonly steppingClocks?: boolean;
}

export interface WalkResult {
  /** Null: none. Otherwise the seed and the step that show it. */
  readonly breach: { readonly why: string; readonly seed: number; readonly step: number } | null;
  readonly steps: number;
  readonly counts: Counts;
}

export function walk(core: Core, options: WalkOptions): WalkResult {
  const counts = noCounts();
  const { runs, stepsPerRun, firstSeed, faults = {}, steppingClocks = false } = options;
  let steps = 0;
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const draw = seededDraw(seed);
    const world = new World(core, faults, 1 + draw(3), draw, counts);
    for (let step = 1; step <= stepsPerRun; step++) {
      steps += 1;
      move(world, draw, steppingClocks);
      if (world.breach !== null)
        return { breach: { why: world.breach, seed, step }, steps, counts };
    }
    world.finish();
    if (world.breach !== null) {
      return { breach: { why: world.breach, seed, step: stepsPerRun }, steps, counts };
    }
  }
  return { breach: null, steps, counts };
}

const oneIn = (draw: Draw, n: number): boolean => draw(n) === 0;

/** One move. The weights make deployments frequent, and failures frequent but not hopeless. */
function move(world: World, draw: Draw, steppingClocks: boolean): void {
  const x = draw(1000);
  if (x < 200) world.wait(1 + draw(2));
  else if (x < 500) visit(world, draw);
  else if (x < 800) message(world, draw);
  else if (x < 980) lockMove(world, draw);
  else if (x < 985) world.boot(oneIn(draw, 2));
  else if (x < 988) world.changeTerms(draw(4));
  else if (x < 991) world.wait(100 + draw(900));
  else if (steppingClocks) world.stepBack(draw(3), 1 + draw(200));
}

function visit(world: World, draw: Draw): void {
  const holder = draw(3);
  const served = world.visit(holder);
  if (served && draw(10) < 3) world.refresh(holder);
  if (!served && draw(7) === 0) world.visitByLedger();
}

function message(world: World, draw: Draw): void {
  const x = draw(100);
  if (x < 5) world.lose(draw(8));
  else if (x < 8) world.double(draw(8));
  else world.deliver(draw(8), Math.max(0, draw(5) - 2));
}

function lockMove(world: World, draw: Draw): void {
  const x = draw(100);
  if (x < 15) world.begin();
  else if (x < 35) world.send();
  else if (x < 60) world.writeArrives(draw(6), oneIn(draw, 12), oneIn(draw, 8));
  else if (x < 61) world.loseWrite(draw(6));
  else if (x < 62) world.giveUp();
  else if (x < 85) world.flip();
  else world.acknowledge();
}
