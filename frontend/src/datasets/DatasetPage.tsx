import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useDeleteDataset } from "../api/actions";
import { asApiError } from "../api/client";
import { datasetQuery } from "../api/datasetQueries";
import type { DatasetDetail, DatasetVersion } from "../api/types";
import { Copy } from "../components/Copy";
import { Confirm } from "../components/Dialog";
import { Empty, Failure, Notice } from "../components/states";
import { Time } from "../components/Time";
import { Button, buttonClass } from "../components/ui";
import { bytes, integer } from "../lib/format";
import { useTitle } from "../lib/hooks";
import type { DatasetSearch } from "../searches";
import { Page } from "../shell/Page";
import { PageSkeleton } from "../shell/pages";
import { Checks } from "./Checks";
import { MappingForm } from "./MappingForm";
import { PreviewTable } from "./PreviewTable";
import { Problems } from "./Problems";
import { UploadPanel } from "./UploadPanel";

export function DatasetPage() {
  const { datasetId } = useParams({ from: "/datasets/$datasetId" });
  const dataset = useQuery(datasetQuery(datasetId));
  useTitle(dataset.data?.name ?? "Dataset");
  if (dataset.data) return <Known key={datasetId} dataset={dataset.data} />;
  if (!dataset.error) return <PageSkeleton />;
  const missing = asApiError(dataset.error).status === 404;
  return (
    <Page crumbs={[{ label: "Datasets", link: { to: "/datasets" } }, { label: "Not found" }]}>
      {missing ? (
        <Empty title="There is no such data set">It may have been deleted.</Empty>
      ) : (
        <Failure error={dataset.error} onRetry={() => void dataset.refetch()} />
      )}
    </Page>
  );
}

function Known({ dataset }: { dataset: DatasetDetail }) {
  const search: DatasetSearch = useSearch({ from: "/datasets/$datasetId" });
  const navigate = useNavigate({ from: "/datasets/$datasetId" });
  const version =
    dataset.items.find((item) => item.number === search.version) ?? dataset.items.at(0);
  const open = (next: DatasetVersion) =>
    void navigate({ to: ".", search: { version: next.number }, resetScroll: false });
  const change = (more: Partial<DatasetSearch>) =>
    void navigate({
      to: ".",
      search: (old) => ({ ...old, ...more }),
      replace: true,
      resetScroll: false,
    });
  return (
    <Page
      crumbs={[{ label: "Datasets", link: { to: "/datasets" } }, { label: dataset.name }]}
      actions={version && <Actions dataset={dataset} version={version} />}
    >
      <div className="flex flex-col gap-4 p-4 md:p-6">
        {version ? (
          <>
            <Facts dataset={dataset} version={version} onOpen={open} />
            {version.report.good === 0 && (
              <Notice tone="bad" title="No row became an example, so nothing can be trained on.">
                Mend the mapping below, or upload a mended file.
              </Notice>
            )}
            <MappingForm key={version.id} version={version} onDone={open} />
            <Problems report={version.report} />
            <PreviewTable version={version} search={search} onSearch={change} />
            <Checks key={version.id} version={version} search={search} onSearch={change} />
          </>
        ) : (
          <Empty title="No version is left">Upload a file to make one.</Empty>
        )}
        <h2 className="font-semibold text-lg">Upload a new version</h2>
        <UploadPanel projectId={dataset.project_id} name={dataset.name} onDone={open} />
      </div>
    </Page>
  );
}

function Actions({ dataset, version }: { dataset: DatasetDetail; version: DatasetVersion }) {
  const [asking, setAsking] = useState(false);
  const navigate = useNavigate();
  const deleting = useDeleteDataset();
  return (
    <>
      <Link
        to="/runs/new"
        search={{ dataset: version.reference, project: dataset.project_id }}
        className={buttonClass("secondary")}
      >
        Train on it
      </Link>
      <Button variant="danger" onClick={() => setAsking(true)}>
        Delete
      </Button>
      {asking && (
        <Confirm
          title={`Delete ${version.reference}?`}
          action="Delete this version"
          busy={deleting.isPending}
          error={deleting.error ? sentence(deleting.error) : undefined}
          onClose={() => {
            setAsking(false);
            deleting.reset();
          }}
          onConfirm={() =>
            deleting.mutate(version, {
              onSuccess: () => {
                setAsking(false);
                void navigate({ to: "/datasets" });
              },
            })
          }
        >
          The file goes too, unless another version shares it. Runs that have ended keep their
          results; runs that still need the data keep it from being deleted.
        </Confirm>
      )}
    </>
  );
}

function sentence(error: unknown): string {
  const { message, remedy } = asApiError(error);
  return `${message} ${remedy}`.trim();
}

interface FactsProps {
  dataset: DatasetDetail;
  version: DatasetVersion;
  onOpen: (version: DatasetVersion) => void;
}

function Facts({ dataset, version, onOpen }: FactsProps) {
  return (
    <div className="flex flex-wrap items-start gap-x-8 gap-y-3">
      <label htmlFor="dataset-version">
        <span className="eyebrow block">Version</span>
        <select
          id="dataset-version"
          value={version.number}
          onChange={(event) => {
            const number = Number(event.target.value);
            const next = dataset.items.find((item) => item.number === number);
            if (next) onOpen(next);
          }}
          className="control"
        >
          {dataset.items.map((item) => (
            <option key={item.id} value={item.number}>
              {item.number} · {item.file_name}
            </option>
          ))}
        </select>
      </label>
      <Fact label="Rows">{integer(version.report.rows)}</Fact>
      <Fact label="Examples">{integer(version.report.good)}</Fact>
      <Fact label="Broken">
        <span className={version.report.broken ? "text-bad" : ""}>
          {integer(version.report.broken)}
        </span>
      </Fact>
      <Fact label="Repeated">{integer(version.report.duplicates)}</Fact>
      <Fact label="Size">{bytes(version.bytes)}</Fact>
      <Fact label="Format">{version.format}</Fact>
      <Fact label="Created">
        <Time iso={version.created_at} />
      </Fact>
      <Fact label="In a configuration">
        <span className="flex items-center gap-1 font-mono text-sm">
          dataset: {version.reference}
          <Copy compact text={version.reference} label="Copy the reference" />
        </span>
      </Fact>
      <Fact label="SHA-256">
        <span className="flex items-center gap-1 font-mono text-sm" title={version.sha256}>
          {version.sha256.slice(0, 12)}…
          <Copy compact text={version.sha256} label="Copy the SHA-256" />
        </span>
      </Fact>
    </div>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <div className="eyebrow">{label}</div>
      <div className="flex h-8 items-center whitespace-nowrap tabular-nums">{children}</div>
    </div>
  );
}
