import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import type { LogLevel, LogLine } from "../api/types";
import { clockTime } from "../lib/format";

interface LogViewProps {
  lines: LogLine[];
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
export function LogView({ lines, needle, follow, onFollow }: LogViewProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 20,
    overscan: 30,
    getItemKey: (index) => lines[index]?.cursor ?? index,
  });
  useEffect(() => {
    if (follow && lines.length) rows.scrollToIndex(lines.length - 1, { align: "end" });
  }, [follow, lines.length, rows]);

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
      <div className="relative w-full" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((item) => {
          const line = lines[item.index];
          if (!line) return null;
          return (
            <div
              key={item.key}
              ref={rows.measureElement}
              data-index={item.index}
              data-testid="log-line"
              data-level={line.level}
              className="absolute inset-x-0 top-0 flex gap-3 px-4 py-px hover:bg-hover md:px-6"
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <time
                dateTime={new Date(line.time * 1000).toISOString()}
                title={new Date(line.time * 1000).toLocaleString()}
                className="shrink-0 text-faint"
              >
                {clockTime(line.time)}
              </time>
              <span className={`w-14 shrink-0 ${TONES[line.level]}`}>{line.level}</span>
              <span
                className={`min-w-0 whitespace-pre-wrap break-words ${line.level === "error" ? "text-bad" : ""}`}
              >
                <Marked text={line.message} needle={needle} />
              </span>
            </div>
          );
        })}
      </div>
    </div>
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
