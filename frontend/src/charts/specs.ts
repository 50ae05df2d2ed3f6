/** Which charts a run has, from the metrics that it reports. */
import { bytes, integer, number, percent } from "../lib/format";
import { gpuLines } from "./gpu";

export interface ChartLine {
  metric: string;
  label: string;
  /** Its place among the series' colours, the same in every run. */
  colour: number;
}

export interface ChartSpec {
  id: string;
  title: string;
  unit: string;
  lines: ChartLine[];
  stacked?: boolean;
  /** The axis begins at zero, and so a curve that does not move has a place on it. */
  fromZero?: boolean;
  markers?: boolean;
  /** Share of one, bytes or plain: how the axis and the latest value are written. */
  format: (value: number | null | undefined) => string;
  /** How the vertical axis is written; absent: as short as its numbers can be told apart. */
  tick?: (value: number) => string;
  bytes?: boolean;
  /** What is set or counted, not measured: there is no noise to average out. */
  exact?: boolean;
  /** What a logarithm would mean nothing for. */
  plain?: boolean;
}

export interface ChartGroup {
  title: string;
  charts: ChartSpec[];
}

type More = Partial<ChartSpec>;

const one = (metric: string, title: string, unit: string, more: More = {}): ChartSpec => ({
  id: metric,
  title,
  unit,
  lines: [{ metric, label: title, colour: 0 }],
  format: number,
  ...more,
});

const many = (
  id: string,
  title: string,
  unit: string,
  lines: Record<string, string>,
  more: More = {},
): ChartSpec => ({
  id,
  title,
  unit,
  lines: Object.entries(lines).map(([metric, label], colour) => ({ metric, label, colour })),
  format: number,
  ...more,
});

const SHARE: More = { format: percent, tick: percent, plain: true, fromZero: true };
const MEMORY: More = { format: bytes, tick: bytes, bytes: true, plain: true, fromZero: true };

const share = (metric: string, title: string, of: string): ChartSpec =>
  one(metric, title, of, SHARE);

const GPU = "GPU of the worker";

/** What the worker measures, whichever of its GPUs there are. */
function gpuCharts(names: readonly string[]): ChartSpec[] {
  const chart = (quantity: string, title: string, unit: string, more: More): ChartSpec => ({
    id: `gpu/${quantity}`,
    title,
    unit,
    lines: gpuLines(names, quantity),
    format: number,
    ...more,
  });
  const degrees = (value: number | null | undefined) => `${number(value, 3)} °C`;
  const watts = (value: number | null | undefined) => `${number(value, 3)} W`;
  return [
    chart("utilization", "GPU use", "share of time", SHARE),
    chart("memory", "GPU memory in use", "bytes", MEMORY),
    chart("temperature", "GPU temperature", "°C", { format: degrees, plain: true }),
    chart("power", "GPU power", "watts", { format: watts, plain: true, fromZero: true }),
  ].filter((one) => one.lines.length > 0);
}

const GROUPS: ChartGroup[] = [
  {
    title: "Objective",
    charts: [
      one("train/loss", "Loss", "nats per token"),
      one("eval/reference/nll", "Held-out NLL", "nats per token", { markers: true }),
      one("eval/reference/perplexity", "Held-out perplexity", "perplexity", { markers: true }),
    ],
  },
  {
    title: "Mechanisms",
    charts: [
      many(
        "train/agreement/weight",
        "Agreement weight",
        "weight of a token",
        {
          "train/agreement/weight_mean": "mean",
          "train/agreement/weight_min": "min",
          "train/agreement/weight_max": "max",
        },
        { plain: true, fromZero: true },
      ),
      one("train/agreement/disagreement", "Disagreement", "spread of the log-probabilities"),
      share("train/clipped_share", "Clipped tokens", "share"),
      one("train/clip_ceiling", "Clipping ceiling", "nats"),
      share("train/contrastive/violations", "Margin not kept", "share of tokens"),
      share("train/contrastive/without_negative", "Without a negative", "share of sequences"),
      one("train/feature_distance", "Feature distance", "mean square"),
      one("train/ema/distance", "EMA teacher from student", "relative distance"),
      one("train/ema/half_life", "Half-life of the EMA", "steps", { exact: true, plain: true }),
    ],
  },
  {
    title: "Student and teachers",
    charts: [
      one("train/divergence", "Divergence before clipping and weights", "nats per token"),
      many("train/entropy", "Entropy", "nats per token", {
        "train/entropy/student": "student",
        "train/entropy/teacher": "teacher",
      }),
      many("train/logprob", "Sampled log-probability", "nats per token", {
        "train/logprob/student": "student",
        "train/logprob/teacher": "teacher",
        "train/logprob/auxiliary": "auxiliary",
        "train/logprob/negative": "negative",
      }),
    ],
  },
  {
    title: "Completions",
    charts: [
      one("train/completion_length", "Length", "tokens"),
      share("train/truncated_share", "Truncated", "share of sequences"),
      share("train/repeated_share", "Repeated", "share of 4-token phrases"),
      share("train/masked_share", "Left out of the loss", "share of tokens"),
      share("train/on_policy_share", "Sampled by the student", "share of sequences"),
    ],
  },
  {
    title: "Optimisation",
    charts: [
      one("train/grad_norm", "Gradient norm", "before clipping"),
      one("train/learning_rate", "Learning rate", "step size", { exact: true }),
      one("train/tokens", "Completion tokens so far", "tokens", {
        format: integer,
        plain: true,
        exact: true,
      }),
      one("train/epoch", "Passes over the records", "epochs", { plain: true, exact: true }),
    ],
  },
  {
    title: "Speed and memory",
    charts: [
      one("throughput/tokens_per_second", "Throughput", "completion tokens/s"),
      many("throughput/split", "Throughput of each part", "tokens/s of a device", {
        "throughput/rollout": "rollout",
        "throughput/teacher": "teacher",
        "throughput/student": "student",
      }),
      many(
        "time/split",
        "Time per step",
        "seconds",
        { "time/rollout": "rollout", "time/teacher": "teacher", "time/student": "student" },
        { stacked: true },
      ),
      many("tokens/split", "Tokens processed per step", "tokens", {
        "tokens/rollout": "rollout",
        "tokens/teacher": "teacher",
        "tokens/student": "student",
      }),
      one("memory/gpu_peak", "Peak GPU memory of a step", "bytes", MEMORY),
      one("memory/process_peak", "Peak process memory", "bytes", MEMORY),
    ],
  },
];

/** Weighted terms of the loss in the order of the formula. */
const TERMS = ["divergence", "cross_entropy", "contrastive", "feature_matching"];
const TERM = "train/loss/";

/** The whole step is drawn as its parts; their sum is not a chart of its own. */
const DRAWN_ELSEWHERE = new Set(["time/step"]);

/** Weighted parts of the loss, which sum to it; worth a chart once there are several. */
function lossParts(names: readonly string[]): ChartSpec | null {
  const given = names
    .filter((name) => name.startsWith(TERM))
    .map((name) => name.slice(TERM.length));
  if (given.length < 2) return null;
  const terms = [...TERMS, ...given.filter((term) => !TERMS.includes(term))];
  const lines = Object.fromEntries(terms.map((term) => [TERM + term, term.replaceAll("_", " ")]));
  const spec = many("train/loss/parts", "Parts of the loss", "nats per token", lines, {
    stacked: true,
  });
  return present(spec, new Set(names));
}

function present(spec: ChartSpec, has: Set<string>): ChartSpec | null {
  const lines = spec.lines.filter((line) => has.has(line.metric));
  return lines.length ? { ...spec, lines } : null;
}

export function chartGroups(names: readonly string[]): ChartGroup[] {
  const has = new Set(names);
  const parts = lossParts(names);
  const shown = new Set(DRAWN_ELSEWHERE);
  // A single part is the loss itself.
  if (has.has("train/loss")) for (const name of names) if (name.startsWith(TERM)) shown.add(name);
  const groups = GROUPS.map((group, i) => {
    const charts = group.charts.map((spec) => present(spec, has)).filter((spec) => spec !== null);
    if (i === 0 && parts) charts.splice(has.has("train/loss") ? 1 : 0, 0, parts);
    for (const chart of charts) for (const line of chart.lines) shown.add(line.metric);
    return { title: group.title, charts };
  });
  const gpus = gpuCharts(names);
  for (const chart of gpus) for (const line of chart.lines) shown.add(line.metric);
  groups.push({ title: GPU, charts: gpus });
  const others = names.filter((name) => !shown.has(name)).sort();
  if (others.length) {
    groups.push({ title: "Other", charts: others.map((name) => one(name, name, "")) });
  }
  return groups.filter((group) => group.charts.length > 0);
}
