/** GPU figures of a run's worker as curves beside the trainer's own. */
import type { Gpu, Sample } from "../api/types";
import type { Curve } from "../live/curves";
import type { LiveState } from "../live/reducer";
import { stepAt } from "./axes";
import type { ChartSpec } from "./specs";

const QUANTITIES: Record<string, (gpu: Gpu) => number | null> = {
  utilization: (gpu) => gpu.utilization,
  memory: (gpu) => gpu.memory_used,
  temperature: (gpu) => gpu.temperature,
  power: (gpu) => gpu.power,
};

export const gpuMetric = (index: number, quantity: string): string => `gpu/${index}/${quantity}`;

/** What the worker gave to runs, not what else the host has. */
const given = (sample: Sample): Gpu[] => sample.gpus.filter((gpu) => gpu.mine);

/** The state with a curve for each GPU and quantity, for as long as the attempt reported steps. */
export function withGpus(state: LiveState, samples: readonly Sample[]): LiveState {
  const times = Object.values(state.curves).flatMap(({ times }) => [times[0], times.at(-1)]);
  const known = times.filter((time) => time !== undefined);
  const [first, last] = [Math.min(...known), Math.max(...known)];
  const within = samples.filter(({ time }) => time >= first && time <= last + 60);
  if (within.length === 0) return state;
  const steps = within.map(({ time }) => stepAt(time, "wall", state));
  const curves: Record<string, Curve> = { ...state.curves };
  for (const { index } of within.flatMap(given)) {
    if (curves[gpuMetric(index, "memory")]) continue;
    for (const [quantity, pick] of Object.entries(QUANTITIES)) {
      const values = within.map((sample) => {
        const gpu = given(sample).find((one) => one.index === index);
        return gpu ? pick(gpu) : null;
      });
      if (values.every((value) => value === null)) continue;
      const name = gpuMetric(index, quantity);
      curves[name] = { steps, values, times: within.map(({ time }) => time), points: steps.length };
    }
  }
  return { ...state, curves };
}

/** Lines of a quantity's chart, one for each GPU. */
export function gpuLines(names: readonly string[], quantity: string): ChartSpec["lines"] {
  return names
    .map((name) => /^gpu\/(\d+)\/(\w+)$/.exec(name))
    .filter((found) => found?.[2] === quantity)
    .map((found) => Number(found?.[1]))
    .sort((a, b) => a - b)
    .map((index) => ({
      metric: gpuMetric(index, quantity),
      label: `GPU ${index}`,
      colour: index,
    }));
}
