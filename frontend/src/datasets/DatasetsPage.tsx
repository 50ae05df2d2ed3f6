import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { datasetsQuery } from "../api/datasetQueries";
import type { Dataset } from "../api/types";
import { Empty, Failure } from "../components/states";
import { Time } from "../components/Time";
import { Skeleton } from "../components/ui";
import { bytes, integer } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { Page } from "../shell/Page";
import { Benchmarks } from "./Benchmarks";
import { UploadPanel } from "./UploadPanel";

/** People's own data sets, and the way to bring one here. */
export function DatasetsPage() {
  useTitle("Datasets");
  const navigate = useNavigate();
  const list = useQuery(datasetsQuery);
  return (
    <Page crumbs={[{ label: "Datasets" }]}>
      <div className="flex flex-col gap-4 p-4 md:p-6">
        <UploadPanel
          projectId={undefined}
          onDone={(version) =>
            void navigate({ to: "/datasets/$datasetId", params: { datasetId: version.dataset_id } })
          }
        />
        {list.error && !list.data && (
          <Failure error={list.error} onRetry={() => void list.refetch()} />
        )}
        {!list.data && !list.error && <Skeleton className="h-40" />}
        {list.data?.items.length === 0 && (
          <Empty title="No data set yet">
            Upload a file of worked examples, or send one with{" "}
            <code className="font-mono text-sm">unisd datasets upload</code>.
          </Empty>
        )}
        {list.data && list.data.items.length > 0 && <DatasetTable items={list.data.items} />}
        {/* Once the list above has its height, nothing below it moves. */}
        {!list.isPending && <Benchmarks />}
      </div>
    </Page>
  );
}

const HEAD = "h-9 px-3 whitespace-nowrap";

function DatasetTable({ items }: { items: Dataset[] }) {
  const cell = "px-3 py-2 text-right tabular-nums whitespace-nowrap";
  return (
    <div className="panel overflow-x-auto">
      <table className="w-full border-collapse text-left">
        <thead>
          <tr className="eyebrow border-line border-b">
            <th scope="col" className={HEAD}>
              Name
            </th>
            {["Version", "Rows", "Broken", "Size", "Created"].map((title) => (
              <th key={title} scope="col" className={`${HEAD} text-right`}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr
              key={item.id}
              data-testid="dataset-row"
              className="border-line border-b last:border-b-0"
            >
              <td className="px-3 py-2">
                <Link
                  to="/datasets/$datasetId"
                  params={{ datasetId: item.id }}
                  className="font-medium hover:text-accent-text"
                >
                  {item.name}
                </Link>
              </td>
              <td className={cell}>{integer(item.latest)}</td>
              <td className={cell}>{integer(item.rows)}</td>
              <td className={`${cell} ${item.broken ? "text-bad" : "text-muted"}`}>
                {integer(item.broken)}
              </td>
              <td className={cell}>{bytes(item.bytes)}</td>
              <td className={cell}>
                <Time iso={item.created_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
