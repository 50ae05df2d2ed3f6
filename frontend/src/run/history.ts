/** A run's history in words. */
import type { Attempt, Cause, Transition } from "../api/types";
import { bytes, duration, integer, UNKNOWN } from "../lib/format";

export const CAUSES: Record<Cause, string> = {
  submitted: "submitted",
  claimed: "taken by a worker",
  work_began: "the work began",
  stop_requested: "a stop was asked for",
  time_limit: "its time limit was reached",
  cancelled: "cancelled before its start",
  deleted: "deleted",
  resumed: "resumed",
  ended: "the trainer ended",
  killed: "killed: it did not stop in time",
  trainer_died: "the trainer died",
  worker_left: "the worker was shut down",
  lease_expired: "the worker was not heard of any more",
  unstartable: "the trainer could not be started",
};

/** `worker 3f…` becomes the worker's name, where it is known. */
export function actorWords(actor: string, workers: ReadonlyMap<string, string>): string {
  if (!actor) return UNKNOWN;
  const id = /^worker (\S+)$/.exec(actor)?.[1];
  if (id === undefined) return actor;
  return workers.get(id) ?? `worker ${id}`;
}

const FIELDS: Record<string, string> = {
  name: "name",
  priority: "priority",
  labels: "labels",
  gpu_memory_bytes: "GPU memory",
  max_attempts: "attempts",
  time_limit_seconds: "time limit",
  stop: "stop",
};

function shown(field: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return "none";
  if (Array.isArray(value)) return value.length ? value.join(", ") : "none";
  if (typeof value === "number") {
    if (field === "gpu_memory_bytes") return bytes(value);
    if (field === "time_limit_seconds") return duration(value);
    return integer(value).replaceAll("-", "\u2212");
  }
  return String(value);
}

/** What a person changed, each a few words. */
export function changeWords(changes: Transition["changes"]): string[] {
  return Object.entries(changes).map(([field, value]) => {
    if (field === "before") return value === null ? "moved behind all" : "moved in the queue";
    if (field === "deleting") return "deleted";
    const [was, is] = Array.isArray(value) ? value : [null, value];
    return `${FIELDS[field] ?? field.replaceAll("_", " ")}: ${shown(field, was)} → ${shown(field, is)}`;
  });
}

/** How an attempt began: where it went on, and whether bit for bit. */
export function resumedWords({ resumed }: Pick<Attempt, "resumed">): string {
  if (!resumed) return "Began at step 0.";
  const from = `Went on after step ${integer(resumed.step)}`;
  if (resumed.exact) return `${from}, exactly as if it had not been cut off.`;
  const reason = resumed.reason.replace(/\.$/, "");
  return `${from}, not exactly${reason ? `: ${reason}` : ""}.`;
}

export interface MemoryProof {
  ok: boolean;
  words: string;
}

/** Whether the GPU's memory came back when the trainer had ended; null on a host without GPUs. */
export function memoryWords({
  gpu_memory: proof,
}: Pick<Attempt, "gpu_memory">): MemoryProof | null {
  if (!proof) return null;
  const figures = `${bytes(proof.before)} in use before, ${bytes(proof.after)} after`;
  const ok = proof.returned;
  return { ok, words: `GPU memory ${ok ? "came back" : "did not come back"}: ${figures}.` };
}

/** An exit code as it is; a signal by its name where it is one of the common. */
export function exitWords(code: number | null): string {
  if (code === null) return "";
  const signals: Record<number, string> = {
    6: "SIGABRT",
    9: "SIGKILL",
    11: "SIGSEGV",
    15: "SIGTERM",
  };
  const name = code < 0 ? signals[-code] : undefined;
  return name ? `ended by ${name}` : `exit code ${String(code).replace("-", "\u2212")}`;
}
