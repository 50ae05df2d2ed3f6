import { ListPlus } from "lucide-react";
import { useState } from "react";
import { Popover } from "../components/Popover";
import { Button } from "../components/ui";
import { metricLook } from "./curveSeries";

interface MetricPickerProps {
  names: readonly string[];
  chosen: readonly string[];
  most: number;
  onChange: (names: readonly string[]) => void;
}

/** Which metrics have a chart. */
export function MetricPicker({ names, chosen, most, onChange }: MetricPickerProps) {
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  const found = names.filter(
    (name) =>
      name.toLowerCase().includes(wanted) || metricLook(name).title.toLowerCase().includes(wanted),
  );
  const toggle = (name: string) =>
    onChange(chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name]);
  return (
    <Popover
      className="top-full right-0 mt-1 w-96 max-w-[90vw] p-2"
      button={({ open, toggle: press }) => (
        <Button small aria-expanded={open} onClick={press}>
          <ListPlus aria-hidden="true" className="size-3.5" />
          Metrics ({chosen.length})
        </Button>
      )}
    >
      {() => (
        <fieldset>
          <legend className="sr-only">Metrics with a chart</legend>
          <input
            type="search"
            aria-label="Search metrics with a chart"
            placeholder="Metric"
            value={text}
            onChange={(event) => setText(event.target.value)}
            className="control mb-1 w-full"
          />
          <div className="max-h-72 overflow-y-auto">
            {found.map((name) => (
              <label
                key={name}
                className="flex min-h-8 cursor-pointer items-center gap-2.5 rounded-control px-2 py-1 hover:bg-hover"
              >
                <input
                  type="checkbox"
                  checked={chosen.includes(name)}
                  disabled={!chosen.includes(name) && chosen.length >= most}
                  onChange={() => toggle(name)}
                  className="accent-(--accent)"
                />
                <span className="min-w-0 flex-1 truncate">{metricLook(name).title}</span>
                <span className="max-w-44 truncate font-mono text-faint text-xs" title={name}>
                  {name}
                </span>
              </label>
            ))}
            {found.length === 0 && (
              <p className="px-2 py-4 text-center text-muted">No metric has this name.</p>
            )}
          </div>
          {chosen.length >= most && (
            <p className="px-2 pt-1 text-faint text-sm">No more than {most} charts at once.</p>
          )}
        </fieldset>
      )}
    </Popover>
  );
}
