import { expect, it } from "vitest";
import type { RunDetail } from "../api/types";
import { contactWords, modesLeft } from "./contact";

type Run = Pick<RunDetail, "status" | "stop_mode" | "contact">;

const contact = {
  heard: 2,
  stale: false,
  lease_left: 178,
  wish_pending: false,
  kill_in: null,
};
const stopping: Run = { status: "stopping", stop_mode: "save", contact };

it("says nothing of a run whose worker is heard of", () => {
  expect(contactWords({ status: "running", stop_mode: null, contact }, 3)).toBeNull();
  expect(contactWords({ status: "succeeded", stop_mode: null, contact: null }, 3)).toBeNull();
});

it("tells of a silent worker, and when the run is taken back", () => {
  const silent = { ...contact, heard: 60, stale: true, lease_left: 120 };
  const run: Run = { status: "running", stop_mode: null, contact: silent };
  expect(contactWords(run, 5)?.title).toBe("Worker not heard of for 1 min");
  expect(contactWords(run, 5)?.detail).toContain("taken back in 1:55");
  expect(contactWords(run, 121)?.detail).toContain("is being taken back");
});

it("shows that a wish waits for the worker", () => {
  const pending = { ...contact, wish_pending: true };
  const words = contactWords({ ...stopping, contact: pending }, 4);
  expect(words?.title).toContain("Waiting for the worker, last heard 6 s ago");
  const cut = { ...pending, stale: true, lease_left: 100 };
  const silent = contactWords({ ...stopping, contact: cut }, 40);
  expect(silent?.detail).toContain("does not know of the stop yet");
  expect(silent?.detail).toContain("taken back in 1:00");
});

it("counts down to the kill from the answer's age, and never below zero", () => {
  const counted = { ...contact, kill_in: 65.2 };
  const at = (age: number) => contactWords({ ...stopping, contact: counted }, age)?.detail;
  expect(at(0)).toContain("killed in 1:06");
  expect(at(60)).toContain("killed in 0:06");
  expect(at(66)).toContain("being killed");
});

it("offers only what is more urgent than what was asked for", () => {
  expect(modesLeft({ status: "running", stop_mode: null })).toEqual(["save", "discard", "force"]);
  expect(modesLeft(stopping)).toEqual(["discard", "force"]);
  expect(modesLeft({ ...stopping, stop_mode: "force" })).toEqual([]);
});
