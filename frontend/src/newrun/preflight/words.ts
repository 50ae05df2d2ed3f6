/** What the preflight found, in words. */
import type { Preflight, RenderedView, WorkerFit } from "../../api/types";
import { bytes, duration, integer, plural } from "../../lib/format";

export type Verdict = WorkerFit["verdict"];
export type Tone = "ok" | "warn" | "bad" | "idle";

interface Look {
  word: string;
  tone: Tone;
}

export const VERDICTS: Record<Verdict, Look> = {
  fits: { word: "fits", tone: "ok" },
  tight: { word: "tight", tone: "warn" },
  will_not: { word: "will not", tone: "bad" },
  unknown: { word: "not known", tone: "idle" },
};

const ORDER: readonly Verdict[] = ["fits", "tight", "unknown", "will_not"];

/** The worker that suits the run best; among equals the one that is done first. */
export function bestWorker(workers: readonly WorkerFit[]): WorkerFit | null {
  const rank = (worker: WorkerFit) => ORDER.indexOf(worker.verdict);
  const time = (worker: WorkerFit) => worker.seconds ?? Number.POSITIVE_INFINITY;
  const sorted = [...workers].sort((a, b) => rank(a) - rank(b) || (time(a) < time(b) ? -1 : 1));
  return sorted[0] ?? null;
}

/** What names a view in the URL and on its tab. */
export const viewKey = (view: Pick<RenderedView, "role" | "number">): string =>
  view.number > 1 || view.role === "auxiliary" ? `${view.role}-${view.number}` : view.role;

const ROLES: Record<RenderedView["role"], string> = {
  student: "Student",
  primary: "Teacher",
  auxiliary: "Auxiliary",
  negative: "Negative teacher",
};

export const viewTitle = ({ role, number }: Pick<RenderedView, "role" | "number">): string =>
  role === "auxiliary" ? `${ROLES[role]} ${number}` : ROLES[role];

export interface Finding {
  label: string;
  text: string;
  tone: Tone;
}

/** The preflight in a few lines, the worst of each part. */
export function findings(found: Preflight): Finding[] {
  const best = bestWorker(found.workers);
  return [
    dataFinding(found),
    ...(found.prompts ? [promptFinding(found.prompts)] : []),
    ...(found.making.length > 0 ? [makingFinding(found)] : []),
    workerFinding(best),
    ...(best && best.verdict !== "will_not" ? [timeFinding(found, best)] : []),
    diskFinding(found, best),
  ];
}

function dataFinding({ data }: Preflight): Finding {
  if (!data) return { label: "Data", text: "not read", tone: "idle" };
  const least = data.whole ? "" : "at least ";
  return {
    label: "Data",
    text: `${least}${plural(data.train, "record")} to train on`,
    tone: data.train > 0 ? "ok" : "bad",
  };
}

function promptFinding(prompts: NonNullable<Preflight["prompts"]>): Finding {
  const { counted, too_long: long, without_views: bare } = prompts;
  if (long > 0) {
    const text = `${integer(long)} of ${integer(counted)} do not fit`;
    return { label: "Prompts", text, tone: long === counted ? "bad" : "warn" };
  }
  if (bare)
    return { label: "Prompts", text: `${integer(bare)} lack auxiliary views`, tone: "warn" };
  return { label: "Prompts", text: "all fit", tone: "ok" };
}

function makingFinding({ making }: Preflight): Finding {
  const missing = making.filter((one) => one.present < one.looked_at);
  if (missing.length === 0) return { label: "Made before", text: "all in the cache", tone: "ok" };
  const times = missing.map((one) => one.seconds);
  const known = times.every((time) => time !== null);
  const sum = times.reduce<number>((all, time) => all + (time ?? 0), 0);
  const text = known ? `takes about ${duration(sum)}` : "to be made; time not known yet";
  return { label: "Made before", text, tone: "idle" };
}

function workerFinding(best: WorkerFit | null): Finding {
  if (!best) return { label: "Memory", text: "no worker is connected", tone: "warn" };
  const look = VERDICTS[best.verdict];
  if (best.verdict === "will_not") {
    return { label: "Memory", text: "will not fit any worker", tone: "bad" };
  }
  const needed = best.need ? `, ${bytes(best.need.peak)}` : "";
  return { label: "Memory", text: `${look.word} on ${best.name}${needed}`, tone: look.tone };
}

function timeFinding({ steps }: Preflight, best: WorkerFit): Finding {
  if (best.seconds !== null) {
    const text = `about ${duration(best.seconds)} for ${plural(steps ?? 0, "step")}`;
    return { label: "Time", text, tone: "ok" };
  }
  if (best.seconds_per_step !== null) {
    return { label: "Time", text: `about ${duration(best.seconds_per_step)} a step`, tone: "ok" };
  }
  return { label: "Time", text: "not measured yet", tone: "idle" };
}

function diskFinding({ disk }: Preflight, best: WorkerFit | null): Finding {
  if (!disk) return { label: "Disk", text: "not known", tone: "idle" };
  const tone = best ? VERDICTS[best.disk_verdict].tone : "idle";
  return { label: "Disk", text: `up to ${bytes(disk.total)}`, tone };
}

/** Where the text of a view has what the student's does not; the whole if nothing is shared. */
export function beyond(text: string, student: string): [start: number, end: number] {
  const most = Math.min(text.length, student.length);
  let start = 0;
  while (start < most && text[start] === student[start]) start += 1;
  let tail = 0;
  while (tail < most - start && text.at(-1 - tail) === student.at(-1 - tail)) tail += 1;
  return [start, text.length - tail];
}
