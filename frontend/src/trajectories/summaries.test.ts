import { describe, expect, it } from "vitest";
import type { TrajectoryOverview } from "../api/types";
import { runSearch } from "../searches";
import { listQuery, nextSort, shownSummaries, sortWords } from "./summaries";
import { chosen, filterWords } from "./trajectoryFilters";

describe("columns of the list", () => {
  it("leaves out the mechanisms that are off, in the table's own order", () => {
    const field = (name: string, count: number) => ({ name, count, min: 0, max: 1, mean: 0.5 });
    const overview: TrajectoryOverview = {
      total: 3,
      pinned: 0,
      truncated: 0,
      newest: 3,
      fields: [field("tokens", 3), field("weight", 0), field("divergence", 3), field("step", 3)],
    };
    expect(shownSummaries(overview).map((one) => one.id)).toEqual(["step", "divergence", "tokens"]);
    expect(shownSummaries(undefined)).toEqual([]);
  });

  it("sorts downwards first, then upwards", () => {
    expect(nextSort("weight", "-step")).toBe("-weight");
    expect(nextSort("weight", "-weight")).toBe("weight");
    expect(sortWords("-feature_distance")).toBe("features, highest first");
    expect(sortWords("step")).toBe("first step first");
  });
});

describe("what the address keeps", () => {
  it("is the list's question, and nothing that the server does not know", () => {
    const search = runSearch({ sort: "-disagreement", filter: "grade=0", pinned: "true", q: "x" });
    expect(listQuery(search, ["grade=0"])).toEqual({
      sort: "-disagreement",
      filter: ["grade=0"],
      pinned: true,
      q: "x",
    });
    expect(listQuery(runSearch({ sort: "nothing" }), [])).toEqual({ sort: "-step" });
  });
});

describe("filters", () => {
  it("are told in words", () => {
    expect(filterWords("grade=")).toBe("Not graded");
    expect(filterWords("disagreement_max>=2.5")).toBe("Max ≥ 2.5");
    expect(filterWords("record_id~q7")).toBe("Record contains q7");
    expect(filterWords("strange")).toBe("strange");
  });

  it("of one choice replace each other and are taken back by a second press", () => {
    expect(chosen(["step>=3", "grade=1"], "grade=0")).toEqual(["step>=3", "grade=0"]);
    expect(chosen(["grade=0"], "grade=0")).toEqual([]);
    expect(chosen(["grade=0"], "truncated=true")).toEqual(["grade=0", "truncated=true"]);
  });
});
