import type { CurveSeries } from "./curve";
import { type Layer, reading } from "./layers";
import { useHovered } from "./sync";

interface LegendProps {
  series: readonly CurveSeries[];
  layers: readonly Layer[];
  hidden: ReadonlySet<string>;
  onToggle: (id: string) => void;
  format: (value: number | null | undefined) => string;
  group: string;
}

/** Letters of a label from which on the values stand in columns. */
const LONG = 20;

/** Every curve with its value under the pointer of any chart, else its latest; a press hides it. */
export function Legend({ series, layers, hidden, onToggle, format, group }: LegendProps) {
  const hovered = useHovered(group);
  const shown = new Map(layers.map((layer) => [layer.series.id, layer]));
  const long = series.some((one) => one.label.length > LONG);
  return (
    <ul
      className={`gap-x-4 px-3 text-sm ${long ? "grid grid-cols-[repeat(auto-fill,minmax(min(13rem,100%),1fr))]" : "flex flex-wrap"}`}
    >
      {series.map((one) => {
        const layer = shown.get(one.id);
        const value = layer && reading(layer, hovered).value;
        const off = hidden.has(one.id);
        return (
          <li key={one.id} className="min-w-0">
            <button
              type="button"
              aria-pressed={!off}
              title={`${one.label}: ${off ? "show" : "hide"}`}
              onClick={() => onToggle(one.id)}
              className={`flex max-w-full ${long ? "w-full" : ""} items-center gap-1.5 rounded-[3px] text-left hover:bg-hover ${off ? "opacity-45" : ""}`}
            >
              <Swatch series={one} />
              <span className={`min-w-0 truncate text-muted ${long ? "flex-1" : ""}`}>
                {one.label}
              </span>
              <span className="tabular-nums">{format(value)}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function Swatch({ series: { colour, dash, faint, stacked } }: { series: CurveSeries }) {
  return (
    <svg
      width={14}
      height={10}
      aria-hidden="true"
      className="shrink-0"
      opacity={faint ? 0.45 : undefined}
    >
      {stacked ? (
        <rect x={2} width={10} height={10} rx={2} fill={colour} />
      ) : (
        <path d="M0 5h14" stroke={colour} strokeWidth={2} strokeDasharray={dash || undefined} />
      )}
    </svg>
  );
}

/** The value of a chart's only curve. */
export function Reading(props: Pick<LegendProps, "layers" | "format" | "group">) {
  const hovered = useHovered(props.group);
  const [layer] = props.layers;
  if (!layer) return null;
  return (
    <span className="shrink-0 font-medium tabular-nums">
      {props.format(reading(layer, hovered).value)}
    </span>
  );
}
