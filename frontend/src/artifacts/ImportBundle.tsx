import { useNavigate } from "@tanstack/react-router";
import { FileUp } from "lucide-react";
import { useRef, useState } from "react";
import { asApiError } from "../api/client";
import { Dialog } from "../components/Dialog";
import { Inline } from "../components/Inline";
import { Notice } from "../components/states";
import { Button } from "../components/ui";
import { Field } from "./ExportFields";
import { type Bundle, type BundleVerdict, useCheckBundle, useImportBundle } from "./queries";

/** Takes a bundle, tells on which data and with which versions it would run, and starts it. */
export function ImportBundle({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const input = useRef<HTMLInputElement>(null);
  const [bundle, setBundle] = useState<Bundle | null>(null);
  const [unreadable, setUnreadable] = useState("");
  const [data, setData] = useState("");
  const [model, setModel] = useState("");
  const check = useCheckBundle();
  const start = useImportBundle();
  const body = (of: Bundle) => ({
    bundle: of,
    ...(data.trim() ? { data: data.trim() } : {}),
    ...(model.trim() ? { model: model.trim() } : {}),
  });
  const read = async (file: File | undefined) => {
    if (!file) return;
    start.reset();
    check.reset();
    try {
      const found = JSON.parse(await file.text()) as Bundle;
      setBundle(found);
      setUnreadable("");
      setData("");
      setModel("");
      check.mutate({ bundle: found });
    } catch {
      setBundle(null);
      setUnreadable(`${file.name} is no JSON file.`);
    }
  };
  const verdict = check.data;
  const problem = start.error ?? check.error;
  return (
    <Dialog
      title="Import a reproduction bundle"
      width="w-[560px]"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button
            variant="primary"
            disabled={!bundle || !verdict || verdict.errors.length > 0}
            busy={start.isPending}
            onClick={() => {
              if (!bundle) return;
              start.mutate(body(bundle), {
                onSuccess: ({ run }) =>
                  void navigate({ to: "/runs/$runId", params: { runId: run.id } }),
              });
            }}
          >
            Start the same run
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <div className="flex flex-wrap items-center gap-3">
          <Button data-autofocus onClick={() => input.current?.click()}>
            <FileUp aria-hidden="true" className="size-4" />
            Choose a bundle
          </Button>
          <span className="text-muted">
            {verdict ? verdict.name : "a file that ends in .unisd.json"}
          </span>
          <input
            ref={input}
            type="file"
            aria-label="Bundle"
            accept=".json,application/json"
            tabIndex={-1}
            onChange={(event) => void read(event.target.files?.[0])}
            className="sr-only"
          />
        </div>
        {unreadable && <Notice tone="bad" title={unreadable} />}
        {problem && (
          <Notice tone="bad" title={asApiError(problem).message}>
            <Inline text={asApiError(problem).remedy} />
          </Notice>
        )}
        {verdict && <Verdict verdict={verdict} />}
        {bundle && verdict && (
          <Elsewhere
            verdict={verdict}
            data={data}
            model={model}
            busy={check.isPending}
            onData={setData}
            onModel={setModel}
            onLook={() => check.mutate(body(bundle))}
          />
        )}
      </div>
    </Dialog>
  );
}

interface ElsewhereProps {
  verdict: BundleVerdict;
  data: string;
  model: string;
  busy: boolean;
  onData: (data: string) => void;
  onModel: (model: string) => void;
  onLook: () => void;
}

/** Asks for the place of what is not where the bundle says. */
function Elsewhere({ verdict, data, model, busy, onData, onModel, onLook }: ElsewhereProps) {
  const misses = (part: string) =>
    verdict.errors.some(({ field }) => field?.split(".")[0] === part);
  if (!misses("data") && !misses("model")) return null;
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        onLook();
      }}
    >
      {misses("data") && (
        <Field label="Where is the data?">
          <input
            value={data}
            placeholder="a data set as name@number, or a path"
            onChange={(event) => onData(event.target.value)}
            className="control"
          />
        </Field>
      )}
      {misses("model") && (
        <Field label="Where is the model?">
          <input
            value={model}
            placeholder="a folder on the worker, or its name on the hub"
            onChange={(event) => onModel(event.target.value)}
            className="control"
          />
        </Field>
      )}
      <Button type="submit" busy={busy} className="self-start">
        Look again
      </Button>
    </form>
  );
}

function Verdict({ verdict }: { verdict: BundleVerdict }) {
  return (
    <div className="flex flex-col gap-3">
      {verdict.errors.map((problem) => (
        <Notice key={problem.code + problem.message} tone="bad" title={problem.message}>
          <Inline text={problem.remedy ?? ""} />
        </Notice>
      ))}
      {verdict.errors.length === 0 && verdict.data === "verified" && (
        <p>
          The data is here, with the same hash:{" "}
          <code className="break-all font-mono text-sm">{verdict.data_from}</code>
        </p>
      )}
      {verdict.warnings.map((problem) => (
        <Notice key={problem.code + problem.message} tone="warn" title={problem.message}>
          <Inline text={problem.remedy ?? ""} />
        </Notice>
      ))}
      {verdict.differences.length > 0 && (
        <Notice tone="warn" title="Other versions than then: the figures may differ.">
          <ul className="mt-1 text-sm">
            {verdict.differences.map((one) => (
              <li key={one.name} className="tabular-nums">
                {one.name}: {one.then} then, {one.now} now
              </li>
            ))}
          </ul>
        </Notice>
      )}
    </div>
  );
}
