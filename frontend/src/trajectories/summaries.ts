/** What a recorded rollout comes to, by the server's names: columns, filters and orders. */
import type { TrajectoryOverview, TrajectorySummary } from "../api/types";
import { integer, number, percent } from "../lib/format";
import type { RunSearch } from "../searches";
import type { SummaryField, TrajectorySort } from "./search";

export interface Summary {
  id: SummaryField;
  label: string;
  /** What the number is, for the head's tooltip. */
  title: string;
  /** As the table shows it. */
  text: (item: TrajectorySummary) => string;
  /** Width of its column. */
  width: string;
}

const graded = (grade: number | null): string =>
  grade === null ? "–" : grade >= 1 ? "right" : grade <= 0 ? "wrong" : percent(grade);

export const SUMMARIES: readonly Summary[] = [
  {
    id: "step",
    label: "Step",
    title: "Optimizer step whose batch it belongs to",
    text: (item) => integer(item.step),
    width: "w-20",
  },
  {
    id: "grade",
    label: "Grade",
    title: "Whether the answer is right, by the task's own rule",
    text: (item) => graded(item.grade),
    width: "w-20",
  },
  {
    id: "disagreement",
    label: "Disagreement",
    title: "Mean disagreement of the auxiliary teachers per token",
    text: (item) => number(item.disagreement, 3),
    width: "w-28",
  },
  {
    id: "disagreement_max",
    label: "Max",
    title: "Disagreement at the token at which it is largest",
    text: (item) => number(item.disagreement_max, 3),
    width: "w-24",
  },
  {
    id: "weight",
    label: "Weight",
    title: "Mean agreement weight per token",
    text: (item) => number(item.weight, 3),
    width: "w-20",
  },
  {
    id: "divergence",
    label: "Divergence",
    title: "Mean divergence of student and teacher per token, nats",
    text: (item) => number(item.divergence, 3),
    width: "w-24",
  },
  {
    id: "clipped_share",
    label: "Clipped",
    title: "Share of the tokens whose divergence was clipped",
    text: (item) => percent(item.clipped_share),
    width: "w-20",
  },
  {
    id: "contrastive_share",
    label: "Contrastive",
    title: "Share of the tokens at which the contrastive term acts",
    text: (item) => percent(item.contrastive_share),
    width: "w-24",
  },
  {
    id: "feature_distance",
    label: "Features",
    title: "Mean squared distance of the final hidden states",
    text: (item) => number(item.feature_distance, 3),
    width: "w-24",
  },
  {
    id: "loss",
    label: "Loss share",
    title: "Its share in the step's loss; pinned rollouts have none",
    text: (item) => number(item.loss, 3),
    width: "w-24",
  },
  {
    id: "tokens",
    label: "Tokens",
    title: "Length of the completion",
    text: (item) => integer(item.tokens),
    width: "w-20",
  },
];

export const DEFAULT_SORT: TrajectorySort = "-step";

/** Those that the run has anything of; a mechanism that is off has no column. */
export function shownSummaries(overview: TrajectoryOverview | undefined): readonly Summary[] {
  if (!overview) return [];
  const has = new Set(overview.fields.filter((one) => one.count > 0).map((one) => one.name));
  return SUMMARIES.filter((one) => has.has(one.id));
}

const SORT_WORDS: Partial<Record<TrajectorySort, string>> = {
  step: "first step first",
  "-step": "latest step first",
  disagreement_max: "largest disagreement, lowest first",
  "-disagreement_max": "largest disagreement, highest first",
  grade: "wrong answers first",
  "-grade": "right answers first",
  tokens: "shortest first",
  "-tokens": "longest first",
  record_id: "record",
  "-record_id": "record, backwards",
};

/** An order in words: `disagreement, highest first`. */
export function sortWords(sort: TrajectorySort): string {
  const known = SORT_WORDS[sort];
  if (known) return known;
  const id = sort.replace(/^-/, "");
  const name = SUMMARIES.find((one) => one.id === id)?.label ?? id;
  return `${name.toLowerCase()}, ${sort.startsWith("-") ? "highest" : "lowest"} first`;
}

/** The next order when a head is pressed: what is large first, then what is small. */
export function nextSort(id: SummaryField, sort: TrajectorySort): TrajectorySort {
  return sort === `-${id}` ? id : `-${id}`;
}

/** What a list shows: the same for the table and for who goes through it rollout by rollout. */
export function listQuery(search: RunSearch, filters: readonly string[]) {
  return {
    sort: search.sort ?? DEFAULT_SORT,
    ...(search.pinned ? { pinned: true } : {}),
    ...(search.q ? { q: search.q } : {}),
    ...(filters.length ? { filter: [...filters] } : {}),
  };
}
