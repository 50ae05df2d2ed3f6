/** What is not as it should be with a worker, and what one can do about it. */
import type { Worker } from "../api/types";
import { roughly } from "../lib/format";

export interface Advice {
  title: string;
  remedy: string;
}

export function modeAdvice(worker: Pick<Worker, "mode" | "run_id" | "mode_reason">): Advice | null {
  const reason = worker.mode_reason;
  if (worker.mode === "draining") {
    const rest = worker.run_id ? "It finishes its run and takes no other." : "It takes no runs.";
    return {
      title: reason ? `Draining: ${reason}` : "Draining",
      remedy: `${rest} Once it is idle it can be shut down; Resume lets it take runs again.`,
    };
  }
  if (worker.mode === "quarantined") {
    return {
      title: reason ? `In quarantine: ${reason}` : "In quarantine",
      remedy: "It takes no runs, also after a restart. See to what is wrong, then resume it.",
    };
  }
  return null;
}

/** About a worker that is silent, which may still be at work. */
export function silenceAdvice(
  worker: Pick<Worker, "status" | "run_id" | "heartbeat_age" | "hostname">,
): Advice | null {
  const heard = roughly(worker.heartbeat_age);
  if (worker.status === "stale") {
    const run = worker.run_id
      ? " Its run may still go on there; it is taken back when the lease ends."
      : "";
    return {
      title: `Not heard of for ${heard}`,
      remedy: `Look whether ${worker.hostname} is up and reaches the database.${run}`,
    };
  }
  if (worker.status === "lost") {
    return {
      title: `Lost: not heard of for ${heard}`,
      remedy:
        "It went without saying goodbye. What it ran is taken up by another worker; if it comes " +
        "back and finds its run taken, it ends its trainer by itself.",
    };
  }
  return null;
}
