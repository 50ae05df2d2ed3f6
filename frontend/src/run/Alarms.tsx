import { CircleAlert, TriangleAlert } from "lucide-react";
import { useState } from "react";
import type { RunDetail } from "../api/types";
import { Inline } from "../components/Inline";
import { Button } from "../components/ui";
import { integer } from "../lib/format";
import { type Ringing, ringing, when } from "./ringing";

const SHOWN = 3;

/** What makes the training signal doubtful, latest first. */
export function Alarms({ run }: { run: RunDetail }) {
  const [all, setAll] = useState(false);
  const items = ringing(run.alarms);
  if (items.length === 0) return null;
  const more = items.length - SHOWN;
  return (
    <section aria-label="Alarms" data-testid="alarms" className="panel overflow-hidden">
      <ul className="divide-y divide-line">
        {items.slice(0, all ? undefined : SHOWN).map((item) => (
          <Row
            key={`${item.alarm.attempt} ${item.alarm.code}`}
            item={item}
            attempts={run.attempts.length}
          />
        ))}
      </ul>
      {more > 0 && (
        <div className="border-line border-t px-1.5 py-1">
          <Button variant="ghost" small aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? "Show fewer" : `Show ${more} more`}
          </Button>
        </div>
      )}
    </section>
  );
}

function Row({ item, attempts }: { item: Ringing; attempts: number }) {
  const { severity, message, remedy, attempt } = item.alarm;
  const bad = severity === "error";
  const Icon = bad ? CircleAlert : TriangleAlert;
  return (
    <li className="grid gap-x-4 px-3 py-2 sm:grid-cols-[88px_minmax(0,1fr)_auto]">
      <span
        className={`flex items-center gap-1.5 self-start font-medium ${bad ? "text-bad" : "text-warn"}`}
      >
        <Icon aria-hidden="true" className="size-4 shrink-0" />
        {bad ? "Error" : "Warning"}
      </span>
      <p className="min-w-0 text-pretty break-words">
        <Inline text={message} />{" "}
        {remedy && (
          <span className="text-muted">
            <Inline text={remedy} />
          </span>
        )}
      </p>
      <span className="whitespace-nowrap text-faint text-sm tabular-nums">
        {attempts > 1 && attempt !== null && `attempt ${attempt}, `}
        {when(item)}
      </span>
    </li>
  );
}

/** How many alarms there were, for the run's header. */
export function AlarmCount({ run }: { run: RunDetail }) {
  const bad = run.alarms.some((alarm) => alarm.severity === "error");
  const Icon = bad ? CircleAlert : TriangleAlert;
  return (
    <span
      data-testid="alarm-count"
      className={`flex items-center gap-1.5 ${bad ? "text-bad" : "text-warn"}`}
    >
      <Icon aria-hidden="true" className="size-3.5" />
      {integer(run.alarm_count)}
    </span>
  );
}
