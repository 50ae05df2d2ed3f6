import { Download, ExternalLink, Trash2, X } from "lucide-react";
import { useState } from "react";
import { asApiError } from "../api/client";
import { isActive } from "../api/types";
import { Confirm } from "../components/Dialog";
import { StatusChip } from "../components/StatusChip";
import { ProblemNotice } from "../components/states";
import { Time } from "../components/Time";
import { Bar, Button, buttonClass, IconButton } from "../components/ui";
import { bytes, eta, percent, plural } from "../lib/format";
import { CheckOutcome } from "./CheckOutcome";
import { type Export, exportAddress, useCancelExport, useDeleteExport } from "./queries";
import { doing, doneShare, KINDS, ofWhat } from "./words";

/** One export of a run: how far it is, what the check found, and its files. */
export function ExportItem({ one }: { one: Export }) {
  const title = one.repository ? `${KINDS[one.kind].label}: ${one.repository}` : titleOf(one);
  return (
    <li
      aria-label={title}
      className="flex flex-col gap-2 border-line border-b px-3 py-3 last:border-b-0"
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <span className="font-medium">{title}</span>
        <StatusChip status={one.status} />
        <span className="text-faint text-sm">
          {ofWhat(one)} · <Time iso={one.created_at} />
        </span>
        <span className="ml-auto flex items-center gap-1.5">
          <span className="mr-1 text-muted text-sm tabular-nums">{sizeOf(one)}</span>
          <ExportActions one={one} />
        </span>
      </div>
      {isActive(one.status) && <ExportProgress one={one} />}
      {one.check && <CheckOutcome check={one.check} />}
      {one.problem && <ProblemNotice problem={one.problem} />}
      {one.downloadable && <Files one={one} />}
    </li>
  );
}

const titleOf = (one: Export): string =>
  one.gguf_type ? `${KINDS.gguf.label} ${one.gguf_type.toUpperCase()}` : KINDS[one.kind].label;

/** The size it has, or the one it is expected to have. */
export function sizeOf(one: Export): string {
  if (one.url) return "on the hub";
  if (one.bytes !== null) return bytes(one.bytes);
  if (!isActive(one.status)) return "";
  return one.estimate_bytes === null ? "size unknown" : `about ${bytes(one.estimate_bytes)}`;
}

export function ExportProgress({ one }: { one: Export }) {
  const waits = one.status === "queued";
  const share = waits ? null : doneShare(one); // an attempt that was cut off begins anew
  const left = one.progress.eta_seconds;
  const words = one.waiting[0] ?? (waits ? "Waits for a worker" : doing(one));
  return (
    <div className="flex flex-col gap-1">
      <Bar share={share} label={`Progress of ${KINDS[one.kind].label}`} />
      <div className="flex justify-between gap-4 text-muted text-sm">
        <span>{words}</span>
        <span className="tabular-nums">
          {share !== null && percent(share)}
          {left !== null && ` · ${eta(left)}`}
        </span>
      </div>
    </div>
  );
}

export function ExportActions({ one }: { one: Export }) {
  const [asked, setAsked] = useState(false);
  const cancel = useCancelExport();
  const name = titleOf(one);
  return (
    <>
      {cancel.error && (
        <span role="alert" className="text-bad text-sm">
          {asApiError(cancel.error).message}
        </span>
      )}
      {one.downloadable && (
        <a
          href={exportAddress(one.id)}
          download=""
          aria-label={`Download ${name}`}
          className={buttonClass("secondary", true)}
        >
          <Download aria-hidden="true" className="size-3.5" />
          Download
        </a>
      )}
      {one.url && (
        <a
          href={one.url}
          target="_blank"
          rel="noreferrer"
          className={buttonClass("secondary", true)}
        >
          <ExternalLink aria-hidden="true" className="size-3.5" />
          Open
        </a>
      )}
      {isActive(one.status) && (
        <Button
          small
          aria-label={`Cancel ${name}`}
          busy={cancel.isPending || one.status === "stopping"}
          onClick={() => cancel.mutate(one.id)}
        >
          <X aria-hidden="true" className="size-3.5" />
          Cancel
        </Button>
      )}
      {!isActive(one.status) && (
        <IconButton label={`Delete ${name}`} onClick={() => setAsked(true)}>
          <Trash2 className="size-4" />
        </IconButton>
      )}
      {asked && <DeleteExport one={one} onClose={() => setAsked(false)} />}
    </>
  );
}

function DeleteExport({ one, onClose }: { one: Export; onClose: () => void }) {
  const remove = useDeleteExport();
  return (
    <Confirm
      title="Delete this export?"
      action="Delete the export"
      busy={remove.isPending}
      error={remove.error ? asApiError(remove.error).message : undefined}
      onConfirm={() => remove.mutate(one.id, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>
        {titleOf(one)} of <strong className="font-medium text-ink">{one.run_name}</strong> goes with
        its files{one.bytes ? `, ${bytes(one.bytes)}` : ""}. The run keeps its own adapter; you can
        export again.
        {one.url && " What was pushed stays on the hub."}
      </p>
    </Confirm>
  );
}

function Files({ one }: { one: Export }) {
  return (
    <details className="text-sm">
      <summary className="text-muted">{plural(one.files.length, "file")}</summary>
      <ul className="mt-1.5 pl-4">
        {one.files.map((file) => (
          <li key={file.path} className="flex items-baseline justify-between gap-4 py-0.5">
            <a
              href={exportAddress(one.id, file.path)}
              download=""
              className="min-w-0 break-all font-mono text-accent-text hover:underline"
            >
              {file.path}
            </a>
            <span className="shrink-0 text-muted tabular-nums" title={`SHA-256 ${file.sha256}`}>
              {bytes(file.bytes)}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
