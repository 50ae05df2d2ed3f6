import { expect, it } from "vitest";
import type { Preflight, WorkerFit } from "../../api/types";
import { bestWorker, beyond, findings } from "./words";

const worker = (name: string, more: Partial<WorkerFit>): WorkerFit => ({
  id: name,
  name,
  status: "idle",
  mode: "active",
  device: "GPU",
  verdict: "fits",
  reason: "",
  need: null,
  capacity: null,
  free: null,
  disk_free: null,
  disk_verdict: "unknown",
  seconds: null,
  seconds_per_step: null,
  measured_runs: 0,
  time_note: "",
  ...more,
});

const found = (more: Partial<Preflight>) =>
  ({
    data: null,
    prompts: null,
    making: [],
    disk: null,
    steps: 10,
    workers: [],
    ...more,
  }) as Preflight;

const said = (more: Partial<Preflight>) =>
  Object.fromEntries(findings(found(more)).map((one) => [one.label, `${one.tone}: ${one.text}`]));

it("names the worker with room, and of those the quickest", () => {
  const tight = worker("a", { verdict: "tight", seconds: 1 });
  const slow = worker("b", { seconds: 90 });
  const quick = worker("c", { seconds: 60 });
  expect(bestWorker([tight, slow, worker("d", {}), quick])?.name).toBe("c");
  expect(said({ workers: [slow, quick] }).Time).toBe("ok: about 1 m 00 s for 10 steps");
  expect(bestWorker([])).toBeNull();
});

it("says that nothing has room, and gives no time then", () => {
  const { Memory, Time } = said({ workers: [worker("a", { verdict: "will_not", seconds: 5 })] });
  expect(Memory).toBe("bad: will not fit any worker");
  expect(Time).toBeUndefined();
});

it("guesses no time that nobody measured", () => {
  expect(said({ workers: [worker("a", {})] }).Time).toBe("idle: not measured yet");
  const one = { kind: "negatives", total: 9, present: 3, looked_at: 9, basis: "" } as const;
  const making = [{ ...one, seconds: null }];
  expect(said({ making })["Made before"]).toContain("time not known yet");
  expect(said({ making: [{ ...one, seconds: 61 }] })["Made before"]).toContain("1 m 01 s");
  expect(said({ making: [{ ...one, present: 9, seconds: 0 }] })["Made before"]).toContain("all in");
});

it("finds what a view shows beyond the student's", () => {
  const student = "<user>Why?<end>";
  const taught = "<user>Example.\nWhy?<end>";
  const [start, end] = beyond(taught, student);
  expect(taught.slice(start, end)).toBe("Example.\n");
  expect(beyond(student, student)).toEqual([student.length, student.length]);
});
