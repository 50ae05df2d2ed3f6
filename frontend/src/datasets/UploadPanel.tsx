import { useMutation, useQueryClient } from "@tanstack/react-query";
import { FileUp } from "lucide-react";
import { useId, useRef, useState } from "react";
import { asApiError } from "../api/client";
import type { DatasetVersion } from "../api/types";
import { Notice } from "../components/states";
import { Bar, Button, Segmented } from "../components/ui";
import { bytes, percent } from "../lib/format";
import { HubForm } from "./HubForm";
import { nameOf, uploadFile } from "./upload";

interface UploadPanelProps {
  projectId: string | undefined;
  /** The name to add a version to; without one it is asked for. */
  name?: string;
  onDone: (version: DatasetVersion) => void;
}

type From = "file" | "hub";

/** Brings a file here, from this computer or from the hub. */
export function UploadPanel(props: UploadPanelProps) {
  const [from, setFrom] = useState<From>("file");
  return (
    <section aria-label="Bring a data set here" className="panel flex flex-col gap-4 p-4">
      <Segmented<From>
        label="Where it comes from"
        small
        value={from}
        options={[
          { value: "file", label: "From this computer" },
          { value: "hub", label: "From the hub" },
        ]}
        onChange={setFrom}
      />
      {from === "file" ? <FileForm {...props} /> : <HubForm {...props} />}
    </section>
  );
}

/** Takes a file by button or by drop, and shows how much of it has arrived. */
function FileForm({ projectId, name: fixed, onDone }: UploadPanelProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const stop = useRef<AbortController | null>(null);
  const queries = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState("");
  const [share, setShare] = useState(0);
  const [over, setOver] = useState(false);
  const sending = useMutation({
    mutationFn: (chosen: File) => {
      stop.current = new AbortController();
      setShare(0);
      const upload = { name: fixed ?? name, file: chosen, projectId };
      return uploadFile(upload, setShare, stop.current.signal);
    },
    onSuccess: (version) => {
      void queries.invalidateQueries({ queryKey: ["datasets"] });
      setFile(null);
      onDone(version);
    },
  });
  const choose = (chosen: File | undefined) => {
    if (!chosen) return;
    setFile(chosen);
    setName(nameOf(chosen.name));
    sending.reset();
  };
  const cancelled = sending.error instanceof DOMException;
  const problem = sending.error && !cancelled ? asApiError(sending.error) : null;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping doubles the button
    <div
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        choose(event.dataTransfer.files[0]);
      }}
      className={`-m-2 flex flex-col gap-3 rounded-control p-2 ${over ? "outline-2 outline-accent" : ""}`}
    >
      <div className="flex flex-wrap items-center gap-3">
        <Button onClick={() => input.current?.click()} disabled={sending.isPending}>
          <FileUp aria-hidden="true" className="size-4" />
          Choose a file
        </Button>
        <span className="text-muted">
          {file
            ? `${file.name}, ${bytes(file.size)}`
            : "or drop it here: JSONL, JSON, CSV, Parquet"}
        </span>
        <input
          ref={input}
          type="file"
          aria-label="File"
          data-testid="dataset-file"
          accept=".jsonl,.jsonl.gz,.gz,.json,.csv,.tsv,.parquet"
          onChange={(event) => choose(event.target.files?.[0])}
          className="sr-only"
        />
      </div>
      {file && (
        <div className="flex flex-wrap items-end gap-3">
          {fixed === undefined && (
            <label htmlFor={`${id}-name`} className="flex flex-col gap-1 text-sm">
              Name
              <input
                id={`${id}-name`}
                value={name}
                onChange={(event) => setName(event.target.value)}
                className="control w-64"
              />
            </label>
          )}
          <Button
            variant="primary"
            data-testid="dataset-upload"
            disabled={sending.isPending || (fixed ?? name) === ""}
            onClick={() => sending.mutate(file)}
          >
            Upload
          </Button>
          {sending.isPending && (
            <>
              <Button onClick={() => stop.current?.abort()}>Cancel</Button>
              <div className="flex min-w-48 flex-1 items-center gap-3">
                <Bar share={share} label="Uploaded" className="flex-1" />
                <span className="text-muted text-sm tabular-nums">
                  {share < 1 ? percent(share) : "Checking every row"}
                </span>
              </div>
            </>
          )}
        </div>
      )}
      {problem && (
        <Notice tone="bad" title={problem.message}>
          {problem.remedy}
        </Notice>
      )}
    </div>
  );
}
