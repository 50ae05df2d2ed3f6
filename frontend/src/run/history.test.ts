import { expect, it } from "vitest";
import { actorWords, changeWords, exitWords, memoryWords, resumedWords } from "./history";

it("names the worker that acted", () => {
  const names = new Map([["ab12", "host gpu 0"]]);
  expect(actorWords("worker ab12", names)).toBe("host gpu 0");
  expect(actorWords("worker gone", names)).toBe("worker gone");
  expect(actorWords("Ann", names)).toBe("Ann");
});

it("tells changes with both values, in units", () => {
  expect(changeWords({ priority: [0, -5], labels: [[], ["a100"]] })).toEqual([
    "priority: 0 → \u22125",
    "labels: none → a100",
  ]);
  expect(changeWords({ gpu_memory_bytes: [null, 2 ** 34] })).toEqual([
    "GPU memory: none → 16.0 GiB",
  ]);
  expect(changeWords({ stop: ["save", "force"] })).toEqual(["stop: save → force"]);
  expect(changeWords({ before: null })).toEqual(["moved behind all"]);
  expect(changeWords({ before: "ab12" })).toEqual(["moved in the queue"]);
});

it("says how an attempt went on and ended", () => {
  expect(resumedWords({ resumed: null })).toBe("Began at step 0.");
  const cut = { step: 1200, exact: false, reason: "another device." };
  expect(resumedWords({ resumed: cut })).toBe(
    "Went on after step 1,200, not exactly: another device.",
  );
  expect(resumedWords({ resumed: { ...cut, exact: true } })).toContain("exactly as if");
  expect(exitWords(-9)).toBe("ended by SIGKILL");
  expect(exitWords(1)).toBe("exit code 1");
  expect(exitWords(null)).toBe("");
});

it("shows whether the GPU's memory came back", () => {
  expect(memoryWords({ gpu_memory: null })).toBeNull();
  const kept = memoryWords({
    gpu_memory: { before: 2 ** 29, after: 2 ** 33, returned: false },
  });
  expect(kept).toEqual({
    ok: false,
    words: "GPU memory did not come back: 512 MiB in use before, 8.0 GiB after.",
  });
});
