import { scaleOf } from "../compare/scale";
import { number, percent } from "../lib/format";
import { Axes, type Frame, tick, useWidth } from "./Axes";
import type { EvaluatedWeights } from "./queries";
import { nameOf } from "./words";

export type CurveX = "jsd" | "step";

interface CurvePlotProps {
  items: readonly EvaluatedWeights[];
  x: CurveX;
  chosen: string | undefined;
  onChoose: (name: string) => void;
}

const HEIGHT = 250;
const COLOURS = { student: "var(--series-1)", ema: "var(--series-4)", base: "var(--text-faint)" };

/** Where a point lies: what was gained, or where the base is unknown how many are right. */
const heightOf = (item: EvaluatedWeights, gains: boolean): number | null =>
  gains ? item.gain : item.accuracy.estimate;

/** The states of the weights in their order: the gain beside the forgetting, or both over steps. */
export function CurvePlot({ items, x: along, chosen, onChoose }: CurvePlotProps) {
  const { ref, width } = useWidth<HTMLDivElement>();
  const gains = items.some((item) => item.gain !== null);
  const places = items.flatMap((item) => {
    const value = along === "step" ? item.step : item.weights === "base" ? 0 : item.jsd;
    const gained = heightOf(item, gains);
    return value === null || gained === null ? [] : [{ item, value, gained }];
  });
  const frame: Frame = { left: 58, right: width - 24, top: 12, bottom: HEIGHT - 46 };
  const x = scaleOf([0, ...places.map((one) => one.value)], frame.left, frame.right);
  const y = scaleOf([0, ...places.map((one) => one.gained)], frame.bottom, frame.top);
  const line = (weights: EvaluatedWeights["weights"]) =>
    places
      .filter(({ item }) => item.weights === weights || item.weights === "base")
      .map((one, i) => `${i ? "L" : "M"}${x.at(one.value)} ${y.at(one.gained)}`)
      .join("");
  const title = gains ? "Gain, points" : "Right, %";
  return (
    <div ref={ref} className="relative min-w-0">
      <svg
        role="img"
        aria-label={`${title} against ${along === "step" ? "steps" : "JSD to base"}: ${places.map((one) => words(one.item)).join("; ")}`}
        width={width}
        height={HEIGHT}
        fontSize={11}
        className="block"
      >
        <Axes
          frame={frame}
          x={x.ticks.map((one) => ({ at: one.at, label: tick(one.value) }))}
          y={y.ticks.map((one) => ({ at: one.at, label: tick(one.value * 100) }))}
          xTitle={along === "step" ? "Steps" : "JSD to base, nats per token"}
          yTitle={title}
        />
        {gains && (
          <path
            d={`M${frame.left} ${y.at(0)}H${frame.right}`}
            stroke="var(--line-strong)"
            strokeDasharray="3 3"
          />
        )}
        {(["student", "ema"] as const).map((weights) => (
          <path
            key={weights}
            d={places.some(({ item }) => item.weights === weights) ? line(weights) : ""}
            fill="none"
            stroke={COLOURS[weights]}
            strokeWidth={1.5}
            strokeDasharray={weights === "ema" ? "5 3" : undefined}
          />
        ))}
      </svg>
      {places.map(({ item, value, gained }) => (
        <button
          key={item.name}
          type="button"
          aria-pressed={item.name === chosen}
          aria-label={words(item)}
          title={words(item)}
          onClick={() => onChoose(item.name)}
          className="-translate-x-1/2 -translate-y-1/2 absolute flex size-6 items-center justify-center rounded-full"
          style={{ left: x.at(value), top: y.at(gained) }}
        >
          <span
            className={`rounded-full ${item.name === chosen ? "size-3.5 outline-2 outline-accent outline-offset-2" : "size-2.5"}`}
            style={{ background: COLOURS[item.weights] }}
          />
        </button>
      ))}
    </div>
  );
}

function words(item: EvaluatedWeights): string {
  return `${nameOf(item)}: ${percent(item.accuracy.estimate)} right, JSD ${number(item.jsd, 3)}`;
}
