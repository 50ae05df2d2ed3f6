import { Link } from "@tanstack/react-router";
import { ArrowDown, ArrowUp, CircleAlert, CircleCheck, ListFilter } from "lucide-react";
import { isActive } from "../api/types";
import { StatusChip } from "../components/StatusChip";
import { Time } from "../components/Time";
import { buttonClass, IconButton } from "../components/ui";
import { bytes, UNKNOWN } from "../lib/format";
import type { ArtifactSort } from "../searches";
import { ExportActions, ExportProgress, sizeOf } from "./ExportItem";
import type { ArtifactRow } from "./queries";
import { KINDS, ofWhat, verdict } from "./words";

interface TableProps {
  rows: ArtifactRow[];
  sort: ArtifactSort;
  onSort: (sort: ArtifactSort) => void;
  onRun: (runId: string) => void;
}

const CELL = "px-2.5 py-2 align-top first:pl-4 last:pr-4 md:first:pl-6 md:last:pr-6";

export function ArtifactsTable({ rows, sort, onSort, onRun }: TableProps) {
  const head = { sort, onSort };
  return (
    <div className="relative overflow-x-auto bg-surface">
      <table className="w-full border-collapse text-left">
        <thead>
          <tr className="border-line border-b">
            <Head name="kind" label="Kind" {...head} />
            <Head name="run_name" label="Run" {...head} />
            <Plain label="State" />
            <Head name="bytes" label="Size" right {...head} />
            <Head name="created_at" label="Made" right wide {...head} />
            <Plain label="Actions" hidden />
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={`${row.source}-${row.id}`} row={row} onRun={onRun} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ row, onRun }: { row: ArtifactRow; onRun: (runId: string) => void }) {
  const one = row.export;
  return (
    <tr className="border-line border-b hover:bg-hover">
      <td className={`${CELL} min-w-32 xl:min-w-56`}>
        <span className="whitespace-nowrap font-medium">
          {KINDS[row.kind as keyof typeof KINDS].label}
        </span>
        {one?.repository && <span className="block text-sm">{one.repository}</span>}
        <span className="block text-faint text-sm">
          {one ? `export, ${ofWhat(one)}` : `by the run, attempt ${row.attempt}`}
          <span className="lg:hidden">
            {" · "}
            <Time iso={row.created_at} />
          </span>
        </span>
      </td>
      <td className={`${CELL} min-w-40 max-w-96 xl:min-w-80`}>
        <span className="-my-1 inline-flex max-w-full items-center gap-1">
          <Link
            to="/runs/$runId"
            params={{ runId: row.run_id }}
            search={{ tab: "artifacts" }}
            title={row.run_name}
            className="line-clamp-2 wrap-anywhere hover:text-accent-text"
          >
            {row.run_name}
          </Link>
          <IconButton label={`Only those of ${row.run_name}`} onClick={() => onRun(row.run_id)}>
            <ListFilter className="size-3.5" />
          </IconButton>
        </span>
      </td>
      <td className={`${CELL} min-w-28 xl:w-1/4`}>
        {one ? <State row={row} /> : <span className="text-muted">Whole</span>}
      </td>
      <td className={`${CELL} whitespace-nowrap text-right tabular-nums`}>
        {(one ? sizeOf(one) : bytes(row.bytes)) || UNKNOWN}
      </td>
      <td className={`${CELL} hidden whitespace-nowrap text-right lg:table-cell`}>
        <Time iso={row.created_at} />
      </td>
      <td className={`${CELL} whitespace-nowrap`}>
        <span className="flex items-center justify-end gap-1.5">
          {one ? <ExportActions one={one} /> : <ToFiles row={row} />}
        </span>
      </td>
    </tr>
  );
}

/** A run's own adapter is fetched file by file. */
const ToFiles = ({ row }: { row: ArtifactRow }) => (
  <Link
    to="/runs/$runId"
    params={{ runId: row.run_id }}
    search={{ tab: "artifacts" }}
    aria-label={`Files of ${row.run_name}, attempt ${row.attempt}`}
    className={buttonClass("secondary", true)}
  >
    Files
  </Link>
);

function State({ row }: { row: ArtifactRow }) {
  const one = row.export;
  if (!one) return null;
  if (isActive(one.status)) {
    return (
      <div className="flex flex-col gap-1.5">
        <span>
          <StatusChip status={one.status} />
        </span>
        <ExportProgress one={one} />
      </div>
    );
  }
  const Icon = one.check?.passed ? CircleCheck : CircleAlert;
  return (
    <span className="inline-flex flex-wrap items-center gap-2">
      <StatusChip status={one.status} />
      {one.check && (
        <span
          title={verdict(one.check)}
          className={`inline-flex items-center gap-1 text-sm ${one.check.passed ? "text-ok" : "text-bad"}`}
        >
          <Icon aria-hidden="true" className="size-3.5" />
          {one.check.passed ? "checked" : "check failed"}
        </span>
      )}
      {one.problem && !one.check && (
        <span className="text-muted text-sm">{one.problem.message}</span>
      )}
    </span>
  );
}

const HEAD = "h-9 whitespace-nowrap px-2.5 first:pl-4 last:pr-4 md:first:pl-6 md:last:pr-6";

interface HeadProps {
  name: "kind" | "run_name" | "bytes" | "created_at";
  label: string;
  right?: boolean;
  /** Only where there is room; what it tells then stands with the kind. */
  wide?: boolean;
  sort: ArtifactSort;
  onSort: (sort: ArtifactSort) => void;
}

function Head({ name, label, right = false, wide = false, sort, onSort }: HeadProps) {
  const down = sort === `-${name}`;
  const current = down || sort === name;
  const Arrow = down ? ArrowDown : ArrowUp;
  const largestFirst = name === "bytes" || name === "created_at";
  const next: ArtifactSort = current
    ? down
      ? name
      : `-${name}`
    : largestFirst
      ? `-${name}`
      : name;
  return (
    <th
      scope="col"
      aria-sort={current ? (down ? "descending" : "ascending") : "none"}
      className={`${HEAD} ${right ? "text-right" : ""} ${wide ? "hidden lg:table-cell" : ""}`}
    >
      <button
        type="button"
        onClick={() => onSort(next)}
        className="eyebrow inline-flex items-center gap-1 hover:text-ink"
      >
        {label}
        {current && <Arrow aria-hidden="true" className="size-3" />}
      </button>
    </th>
  );
}

const Plain = ({ label, hidden = false }: { label: string; hidden?: boolean }) => (
  <th scope="col" className={HEAD}>
    <span className={hidden ? "sr-only" : "eyebrow"}>{label}</span>
  </th>
);
