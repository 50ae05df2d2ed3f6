/** What stands between a run and its worker, in words. */
import type { RunDetail, StopMode } from "../api/types";
import { countdown, roughly } from "../lib/format";

export interface ModeWords {
  title: string;
  sentence: string;
  action: string;
}

export const STOP_MODES: Record<StopMode, ModeWords> = {
  save: {
    title: "Save",
    sentence: "Finishes the step that it is in, saves its adapter and a checkpoint, and ends.",
    action: "Stop and save",
  },
  discard: {
    title: "Discard",
    sentence: "Ends at once. No weights of this attempt are kept, checkpoints included.",
    action: "Stop and discard",
  },
  force: {
    title: "Force",
    sentence:
      "Saves if it can, but after a short countdown the trainer is killed with all that it started.",
    action: "Stop by force",
  },
};

const ORDER: readonly StopMode[] = ["save", "discard", "force"];

/** Ways to stop that a run does not have yet: a wish can only be made more urgent. */
export function modesLeft(run: Pick<RunDetail, "status" | "stop_mode">): StopMode[] {
  if (run.status !== "stopping" || !run.stop_mode) return [...ORDER];
  return ORDER.slice(ORDER.indexOf(run.stop_mode) + 1);
}

export interface ContactWords {
  title: string;
  detail: string;
}

const DOING: Record<StopMode, string> = {
  save: "finishes its step and saves",
  discard: "ends without saving",
  force: "ends by force",
};

/**
 * What to say about a run that is being stopped or whose worker is silent; null where all is well.
 * `age`: seconds since the answer, by which its figures have moved on.
 */
export function contactWords(
  run: Pick<RunDetail, "status" | "stop_mode" | "contact">,
  age: number,
): ContactWords | null {
  const { contact } = run;
  if (!contact) return null;
  const heard = roughly(contact.heard + age);
  const left = contact.lease_left - age;
  if (run.status !== "stopping") {
    if (!contact.stale) return null;
    return { title: `Worker not heard of for ${heard}`, detail: takenBack(left, "queued again") };
  }
  const mode = run.stop_mode ?? "save";
  const how = `Stopping: it ${DOING[mode]}`;
  if (contact.stale) {
    const told = contact.wish_pending ? "It does not know of the stop yet. " : "";
    return {
      title: `${how}. Waiting for the worker, last heard ${heard} ago`,
      detail: told + takenBack(left, "ended"),
    };
  }
  if (contact.wish_pending || contact.kill_in === null) {
    return {
      title: `${how}. Waiting for the worker, last heard ${heard} ago`,
      detail: "It learns of the stop with its next heartbeat.",
    };
  }
  const kill = contact.kill_in - age;
  if (kill <= 0) return { title: how, detail: "Its time is up: it is being killed." };
  return { title: how, detail: `It is killed in ${countdown(kill)} if it has not ended by then.` };
}

function takenBack(left: number, then: string): string {
  if (left <= 0) return `Its lease is over: the run is being taken back and ${then}.`;
  return `If it stays silent, the run is taken back in ${countdown(left)} and ${then}.`;
}
