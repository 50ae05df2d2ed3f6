const WIDTH = 72;
const HEIGHT = 22;
const PAD = 2;

interface Frame {
  width?: number;
  height?: number;
  /** Values at the bottom and at the top. Absent: the least and the greatest. */
  range?: readonly [low: number, high: number];
}

/** The path of a small curve; values that are not finite break it, one alone is a dot. */
export function sparkPath(values: readonly (number | null)[], frame: Frame = {}): string {
  const { width = WIDTH, height = HEIGHT, range } = frame;
  const finite = values.filter((v): v is number => v !== null && Number.isFinite(v));
  if (finite.length < 2) return "";
  const low = range?.[0] ?? Math.min(...finite);
  const span = (range?.[1] ?? Math.max(...finite)) - low || 1;
  const stepX = (width - 2 * PAD) / (values.length - 1);
  let path = "";
  let begins = true;
  values.forEach((value, i) => {
    if (value === null || !Number.isFinite(value)) {
      begins = true;
      return;
    }
    const x = PAD + i * stepX;
    const y = height - PAD - ((value - low) / span) * (height - 2 * PAD);
    path += `${begins ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    const next = values[i + 1];
    if (begins && (next === null || next === undefined)) path += "h0";
    begins = false;
  });
  return path;
}

interface SparklineProps {
  values: readonly (number | null)[];
  label: string;
  range?: readonly [low: number, high: number];
  /** As wide as its place, rather than of the size that table cells have. */
  fluid?: boolean;
}

const FLUID_WIDTH = 240;

export function Sparkline({ values, label, range, fluid = false }: SparklineProps) {
  const width = fluid ? FLUID_WIDTH : WIDTH;
  const path = sparkPath(values, range ? { width, range } : { width });
  if (!path && !fluid) return null;
  return (
    <svg
      width={fluid ? "100%" : WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
      className={fluid ? "rounded-[3px] bg-sunken" : undefined}
    >
      <path
        d={path}
        fill="none"
        stroke="var(--series-1)"
        strokeWidth={1.25}
        strokeLinejoin="round"
        strokeLinecap="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
