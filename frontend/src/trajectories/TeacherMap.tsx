import { memo, useEffect, useMemo, useRef, useState } from "react";
import type { TrajectoryDetail } from "../api/types";
import { Segmented } from "../components/ui";
import { number, percent } from "../lib/format";
import { useTheme } from "../lib/theme";
import { scaleOf } from "./colours";
import { shownOf, toEnds, useCursor, usePlace } from "./cursor";
import { Legend } from "./Legend";
import { columnAt, columnsOf, drawMap, HEAD, type MapData, ROW } from "./mapDrawing";
import type { MapValue } from "./search";
import type { View } from "./views";
import { quoted } from "./visible";

interface TeacherMapProps {
  item: TrajectoryDetail;
  views: readonly View[];
  show: MapValue;
  onShow: (value: MapValue) => void;
}

const SHOWS = [
  { value: "logprob", label: "log-probability" },
  { value: "gap", label: "gap to the student" },
] as const;

/** Views × tokens: what each view said of every token, one column a token. */
export const TeacherMap = memo(function TeacherMap(props: TeacherMapProps) {
  const { item, views, show, onShow } = props;
  const theme = useTheme();
  const [row, setRow] = useState<number | null>(null);
  const data = useMemo(() => mapData(item, views, show), [item, views, show]);
  const words = SHOWS.find(({ value }) => value === show)?.label ?? "";
  return (
    <div className="border-line border-t" data-testid="teacher-map">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 bg-sunken px-3 py-2">
        <h3 className="font-medium">Views × tokens</h3>
        <Segmented
          small
          label="Colours of the map"
          value={show}
          options={SHOWS}
          onChange={onShow}
        />
        <Legend scale={data.scale} label={words} sign={show === "logprob" ? -1 : 1} />
      </div>
      <div className="flex border-line border-t">
        <ul aria-hidden="true" className="w-36 shrink-0 pb-3 text-sm" style={{ paddingTop: HEAD }}>
          {views.map((view, i) => (
            <li
              key={view.key}
              title={view.note}
              className={`truncate pl-3 ${i === row ? "text-ink" : "text-muted"}`}
              style={{ height: ROW, lineHeight: `${ROW}px` }}
            >
              {view.name}
            </li>
          ))}
        </ul>
        <Cells data={data} theme={theme} words={words} onRow={setRow} />
      </div>
      <Reading item={item} views={views} row={row} />
    </div>
  );
});

function mapData(item: TrajectoryDetail, views: readonly View[], show: MapValue): MapData {
  const tokens = item.token_values;
  const rows = views.map((view) =>
    tokens.map((token) => {
      const said = view.logprob(token);
      if (said === null) return null;
      // Coloured by the size: what is improbable stands out.
      return show === "gap" ? said - token.student_logprob : -said;
    }),
  );
  const scale = scaleOf(rows.flat(), { signed: show === "gap" });
  return { texts: tokens.map((token) => quoted(token.text)), rows, scale };
}

interface CellsProps {
  data: MapData;
  theme: "light" | "dark";
  words: string;
  onRow: (row: number | null) => void;
}

/** Draws what is in sight only, so that thousands of tokens scroll as smoothly as ten. */
function Cells({ data, theme, words, onRow }: CellsProps) {
  const cursor = useCursor();
  const scroller = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const columns = useMemo(() => columnsOf(data.texts), [data.texts]);
  const total = columns.at(-1) ?? 0;
  const height = HEAD + ROW * data.rows.length;

  useEffect(() => {
    const [box, sheet] = [scroller.current, canvas.current];
    if (!box || !sheet) return;
    let frame = 0;
    const draw = () => {
      frame = 0;
      drawMap(sheet, { data, columns, theme, left: box.scrollLeft, place: cursor.get() });
    };
    const soon = () => {
      frame ||= requestAnimationFrame(draw);
    };
    const size = new ResizeObserver(() => {
      sheet.style.width = `${box.clientWidth}px`;
      draw();
    });
    size.observe(box);
    const reveal = (chosen: number | null) => {
      if (chosen === null) return;
      const [start, end] = [columns[chosen] ?? 0, columns[chosen + 1] ?? 0];
      const margin = box.clientWidth / 3;
      if (start < box.scrollLeft || end > box.scrollLeft + box.clientWidth) {
        box.scrollLeft = start - margin;
      }
    };
    reveal(cursor.get().chosen);
    const stop = cursor.listen((place, before) => {
      if (place.chosen !== before.chosen) reveal(place.chosen);
      soon();
    });
    box.addEventListener("scroll", soon, { passive: true });
    void document.fonts?.ready.then(soon);
    return () => {
      stop();
      size.disconnect();
      cancelAnimationFrame(frame);
      box.removeEventListener("scroll", soon);
    };
  }, [cursor, data, columns, theme]);

  const point = (event: React.PointerEvent | React.MouseEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    const line = Math.floor((event.clientY - box.top - HEAD) / ROW);
    onRow(line >= 0 && line < data.rows.length ? line : null);
    return columnAt(columns, (scroller.current?.scrollLeft ?? 0) + event.clientX - box.left);
  };
  return (
    <section
      ref={scroller}
      tabIndex={0}
      aria-label={`Map: ${words} of each token under each view; arrow keys move`}
      onKeyDown={(event) => toEnds(event, cursor, data.texts.length)}
      className="min-w-0 flex-1 overflow-x-auto border-line border-l pb-3"
    >
      <div style={{ width: total, height }}>
        <canvas
          ref={canvas}
          role="img"
          aria-label={`${words} of ${data.texts.length} tokens under ${data.rows.length} views. The card tells the chosen token's.`}
          style={{ height }}
          className="sticky left-0 block cursor-pointer"
          onPointerMove={(event) => cursor.hover(point(event))}
          onPointerLeave={() => {
            cursor.hover(null);
            onRow(null);
          }}
          onClick={(event) => cursor.choose(point(event))}
        />
      </div>
    </section>
  );
}

interface ReadingProps {
  item: TrajectoryDetail;
  views: readonly View[];
  row: number | null;
}

/** The cell under the pointer; else the chosen token. */
function Reading({ item, views, row }: ReadingProps) {
  const index = shownOf(usePlace());
  const token = index === null ? undefined : item.token_values[index];
  const view = views[row ?? -1];
  const said = token && view?.logprob(token);
  return (
    <p className="min-h-8 border-line border-t px-3 py-1.5 text-faint text-sm tabular-nums">
      {token && view && typeof said === "number" ? (
        <>
          {view.name} gives <code className="font-mono text-ink">{quoted(token.text)}</code> the
          log-probability {number(said)} ({percent(Math.exp(said))})
          {row !== 0 && `, ${number(said - token.student_logprob)} from the student's`}
          {view.note && `, ${view.note}`}.
        </>
      ) : (
        "Each column is a token, each row a view. Auxiliary teachers are asked at temperature 1, the others at the sampling temperature."
      )}
    </p>
  );
}
