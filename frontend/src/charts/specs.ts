/** Which charts a run has, from the metrics that it reports. */
import { bytes, number, percent } from "../lib/format";

export interface ChartLine {
  metric: string;
  label: string;
}

export interface ChartSpec {
  id: string;
  title: string;
  unit: string;
  lines: ChartLine[];
  stacked?: boolean;
  markers?: boolean;
  /** Lines are named even where there is only one. */
  named?: boolean;
  /** Share of one, bytes or plain: how the axis and the latest value are written. */
  format: (value: number | null | undefined) => string;
  tick?: string;
  /** What is set or counted, not measured: there is no noise to average out. */
  exact?: boolean;
  /** What a logarithm would mean nothing for. */
  plain?: boolean;
}

export interface ChartGroup {
  title: string;
  charts: ChartSpec[];
}

const one = (
  metric: string,
  title: string,
  unit: string,
  more: Partial<ChartSpec> = {},
): ChartSpec => ({
  id: metric,
  title,
  unit,
  lines: [{ metric, label: title }],
  format: number,
  ...more,
});

const many = (
  id: string,
  title: string,
  unit: string,
  lines: Record<string, string>,
  more: Partial<ChartSpec> = {},
): ChartSpec => ({
  id,
  title,
  unit,
  lines: Object.entries(lines).map(([metric, label]) => ({ metric, label })),
  format: number,
  ...more,
});

const GROUPS: ChartGroup[] = [
  {
    title: "Objective",
    charts: [
      one("train/loss", "Loss", "nats per token"),
      one("eval/reference/nll", "Held-out NLL", "nats per token", { markers: true }),
      one("eval/reference/perplexity", "Held-out perplexity", "", { markers: true }),
    ],
  },
  {
    title: "Student and teacher",
    charts: [
      many("train/entropy", "Entropy", "nats per token", {
        "train/entropy/student": "student",
        "train/entropy/teacher": "teacher",
      }),
      many("train/logprob", "Sampled log-probability", "nats per token", {
        "train/logprob/student": "student",
        "train/logprob/teacher": "teacher",
      }),
      one("train/completion_length", "Completion length", "tokens"),
      one("train/truncated_share", "Truncated completions", "share", {
        format: percent,
        tick: ".0%",
        plain: true,
      }),
    ],
  },
  {
    title: "Optimisation",
    charts: [
      one("train/grad_norm", "Gradient norm", "before clipping"),
      one("train/learning_rate", "Learning rate", "", { exact: true }),
      one("train/tokens", "Completion tokens so far", "tokens", { plain: true, exact: true }),
    ],
  },
  {
    title: "Speed",
    charts: [
      one("throughput/tokens_per_second", "Throughput", "completion tokens/s"),
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
      one("memory/gpu_peak", "Peak GPU memory", "", { format: bytes, tick: ".3s", plain: true }),
    ],
  },
];

/** The whole step is drawn as its parts; their sum is not a chart of its own. */
const DRAWN_ELSEWHERE = new Set(["time/step"]);

/** Weighted parts of the loss, one line each; worth a chart once there are several. */
function lossParts(names: readonly string[]): ChartSpec | null {
  const parts = names.filter((name) => name.startsWith("train/loss/"));
  if (parts.length === 0) return null;
  const lines = Object.fromEntries(parts.map((name) => [name, name.slice("train/loss/".length)]));
  return many("train/loss/parts", "Parts of the loss", "nats per token", lines, { named: true });
}

function present(spec: ChartSpec, has: Set<string>): ChartSpec | null {
  const lines = spec.lines.filter((line) => has.has(line.metric));
  return lines.length ? { ...spec, lines } : null;
}

export function chartGroups(names: readonly string[]): ChartGroup[] {
  const has = new Set(names);
  const parts = lossParts(names);
  const shown = new Set([...DRAWN_ELSEWHERE, ...(parts?.lines.map((line) => line.metric) ?? [])]);
  const groups = GROUPS.map((group, i) => {
    const charts = group.charts.map((spec) => present(spec, has)).filter((spec) => spec !== null);
    if (i === 0 && parts) charts.splice(has.has("train/loss") ? 1 : 0, 0, parts);
    for (const chart of charts) for (const line of chart.lines) shown.add(line.metric);
    return { title: group.title, charts };
  });
  const others = names.filter((name) => !shown.has(name)).sort();
  if (others.length) {
    groups.push({ title: "Other", charts: others.map((name) => one(name, name, "")) });
  }
  return groups.filter((group) => group.charts.length > 0);
}
