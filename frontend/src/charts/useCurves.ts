/** What else belongs to a run's curves: its earlier attempts, and its worker's GPUs. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { fetchMetrics, workersQuery } from "../api/queries";
import { samplesQuery } from "../api/steering";
import { isActive, type RunDetail, type Sample } from "../api/types";
import { EMPTY, type LiveState, load } from "../live/reducer";
import { withGpus } from "./gpu";

/** More pale curves behind a curve tell nothing apart. */
const SHOWN = 4;
const NONE: readonly LiveState[] = [];

/** The series of the attempts around the one that is shown, the latest few of them. */
export function useEarlier(run: RunDetail, shown: number | null, wanted: boolean) {
  const numbers = wanted && shown !== null ? others(run, shown) : [];
  return useQueries({
    queries: numbers.map((number) => ({
      queryKey: ["run", run.id, "metrics", number],
      queryFn: ({ signal }: { signal: AbortSignal }) => fetchMetrics(run.id, number, signal),
      staleTime: Number.POSITIVE_INFINITY,
    })),
    combine: combined,
  });
}

const combined = (results: readonly { data?: Parameters<typeof load>[1] | undefined }[]) => {
  const found = results.flatMap(({ data }) => (data ? [load(EMPTY, data)] : []));
  return found.length ? found : NONE;
};

const others = (run: RunDetail, shown: number): number[] =>
  run.attempts
    .map((attempt) => attempt.number)
    .filter((number) => number !== shown)
    .slice(-SHOWN);

const NO_SAMPLES: readonly Sample[] = [];
const LONGEST = 30 * 86_400;

/** The state with the GPUs of the worker that has, or had, the attempt. */
export function useGpus(run: RunDetail, state: LiveState | undefined): LiveState | undefined {
  const attempt = run.attempts.find((one) => one.number === state?.attempt);
  const workers = useQuery({ ...workersQuery, refetchInterval: false, staleTime: 60_000 });
  const worker = workers.data?.items.find(
    (one) => one.name === attempt?.worker && one.hostname === attempt.hostname,
  );
  const since = attempt ? (Date.now() - Date.parse(attempt.started_at)) / 1000 : 0;
  // In steps, so that a run which goes on does not ask for another span each second.
  const seconds = Math.min(LONGEST, Math.max(3600, 2 ** Math.ceil(Math.log2(since + 60))));
  const samples = useQuery({
    ...samplesQuery(worker?.id ?? "", seconds),
    enabled: Boolean(worker?.hardware.gpus),
    refetchInterval: isActive(run.status) ? 15_000 : false,
  });
  const items = samples.data?.items ?? NO_SAMPLES;
  return useMemo(() => (state && items.length ? withGpus(state, items) : state), [state, items]);
}
