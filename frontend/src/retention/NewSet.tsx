import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { benchmarksQuery, datasetsQuery } from "../api/datasetQueries";
import { setOf } from "./evaluate";
import type { EvaluationSet } from "./queries";

interface NewSetProps {
  onChange: (set: EvaluationSet | null) => void;
}

const whole = (text: string): number | null => {
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 ? value : null;
};

/** Questions that were not asked before: a data set's or a benchmark's. */
export function NewSet({ onChange }: NewSetProps) {
  const datasets = useQuery(datasetsQuery);
  const benchmarks = useQuery(benchmarksQuery);
  const [source, setSource] = useState("");
  const [limit, setLimit] = useState("200");
  const [tokens, setTokens] = useState("256");
  const [kind = "", name = ""] = [
    source.slice(0, source.indexOf(":")),
    source.slice(source.indexOf(":") + 1),
  ];
  const most = limit.trim() === "" ? null : whole(limit);
  const length = whole(tokens);
  const valid = name !== "" && length !== null && (limit.trim() === "" || most !== null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the fields are what changes it
  useEffect(() => {
    onChange(
      valid ? setOf(kind === "dataset" ? "dataset" : "benchmark", name, most, length) : null,
    );
  }, [source, limit, tokens]);
  return (
    <div className="grid gap-3 sm:grid-cols-[minmax(0,1fr)_7rem_7rem]">
      <label className="flex min-w-0 flex-col gap-1">
        <span className="font-medium">Questions of</span>
        <select
          value={source}
          onChange={(event) => setSource(event.target.value)}
          className="control w-full"
        >
          <option value="">Choose…</option>
          {datasets.data && datasets.data.items.length > 0 && (
            <optgroup label="Data sets">
              {datasets.data.items
                .map((one) => `${one.name}@${one.latest ?? 1}`)
                .map((name) => (
                  <option key={name} value={`dataset:${name}`}>
                    {name}
                  </option>
                ))}
            </optgroup>
          )}
          <optgroup label="Benchmarks">
            {benchmarks.data?.items.map((one) => (
              <option key={one.name} value={`benchmark:${one.name}`}>
                {one.title}
              </option>
            ))}
          </optgroup>
        </select>
      </label>
      <label className="flex flex-col gap-1">
        <span className="font-medium">First</span>
        <input
          inputMode="numeric"
          value={limit}
          placeholder="all"
          aria-invalid={limit.trim() !== "" && most === null}
          onChange={(event) => setLimit(event.target.value)}
          className="control w-full"
        />
      </label>
      <label className="flex flex-col gap-1">
        <span className="font-medium">Tokens</span>
        <input
          inputMode="numeric"
          value={tokens}
          aria-invalid={length === null}
          title="Longest answer"
          onChange={(event) => setTokens(event.target.value)}
          className="control w-full"
        />
      </label>
    </div>
  );
}
