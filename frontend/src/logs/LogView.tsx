import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import type { LogLevel } from "../api/types";
import { clockTime } from "../lib/format";
import type { LogRow } from "./rows";

interface LogViewProps {
  rows: LogRow[];
  needle: string;
  follow: boolean;
  onFollow: (follow: boolean) => void;
}

const TONES: Record<LogLevel, string> = {
  debug: "text-faint",
  info: "text-muted",
  warning: "text-warn",
  error: "text-bad",
};

/** Only the lines in view are in the document; scrolling up ends following. */
export function LogView({ rows, needle, follow, onFollow }: LogViewProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 20,
    overscan: 30,
    paddingStart: 6,
    paddingEnd: 6,
    getItemKey: (index) => rows[index]?.key ?? index,
  });
  useEffect(() => {
    if (follow && rows.length) list.scrollToIndex(rows.length - 1, { align: "end" });
  }, [follow, rows.length, list]);

  const onWheel = (event: React.WheelEvent) => {
    if (event.deltaY < 0 && follow) onFollow(false);
  };
  const onScroll = () => {
    const element = scroller.current;
    if (!element || follow) return;
    const left = element.scrollHeight - element.scrollTop - element.clientHeight;
    if (left < 2 && element.scrollTop > 0) onFollow(true);
  };
  return (
    <div
      ref={scroller}
      role="log"
      aria-label="Log"
      aria-live="off"
      tabIndex={0}
      onWheel={onWheel}
      onScroll={onScroll}
      onKeyDown={(event) => {
        if (["ArrowUp", "PageUp", "Home"].includes(event.key)) onFollow(false);
      }}
      className="min-h-72 flex-1 basis-0 overflow-auto border-line border-t bg-surface font-mono text-sm focus-visible:outline-offset-[-2px]"
    >
      <div className="relative w-full" style={{ height: list.getTotalSize() }}>
        {list.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (!row) return null;
          return (
            <div
              key={item.key}
              ref={list.measureElement}
              data-index={item.index}
              data-testid="log-line"
              data-level={row.level}
              data-source={row.source}
              className="absolute inset-x-0 top-0 flex gap-3 px-4 py-px hover:bg-hover md:px-6"
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <time
                dateTime={new Date(row.time * 1000).toISOString()}
                title={new Date(row.time * 1000).toLocaleString()}
                className={`shrink-0 text-faint ${row.continued ? "invisible" : ""}`}
              >
                {clockTime(row.time)}
              </time>
              <Kind row={row} />
              <span className={`min-w-0 whitespace-pre-wrap break-words ${tone(row)}`}>
                <Marked text={row.text} needle={needle} />
              </span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** What a trainer merely printed is quieter than what it reported. */
function tone(row: LogRow): string {
  if (row.source === "output") return "text-muted";
  return row.level === "error" ? "text-bad" : "";
}

function Kind({ row }: { row: LogRow }) {
  const printed = row.source === "output";
  return (
    <span className={`w-14 shrink-0 ${printed ? "text-faint" : TONES[row.level]}`}>
      {!row.continued && (printed ? "output" : row.level)}
    </span>
  );
}

function Marked({ text, needle }: { text: string; needle: string }) {
  const at = needle ? text.toLowerCase().indexOf(needle) : -1;
  if (at < 0) return text;
  const end = at + needle.length;
  return (
    <>
      {text.slice(0, at)}
      <mark className="rounded-[2px] bg-warn-soft text-ink outline outline-warn-line">
        {text.slice(at, end)}
      </mark>
      <Marked text={text.slice(end)} needle={needle} />
    </>
  );
}
