import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { benchmarksQuery } from "../api/datasetQueries";
import type { Benchmark } from "../api/types";
import { Copy } from "../components/Copy";
import { Failure } from "../components/states";
import { buttonClass, Skeleton } from "../components/ui";

const HEAD = "h-9 px-3 whitespace-nowrap";
const CELL = "px-3 py-2";

/** What is built in, with its licence and whether its files are at hand. */
export function Benchmarks() {
  const { data, error, refetch } = useQuery(benchmarksQuery);
  return (
    <section aria-labelledby="benchmarks" className="panel overflow-hidden">
      <div className="border-line border-b px-4 py-2.5">
        <h2 id="benchmarks" className="font-semibold">
          Benchmarks built in
        </h2>
        <p className="text-muted text-sm">
          They need no upload: a run names them, and its worker takes their files from{" "}
          <code className="font-mono">UNISD_BENCHMARK_DIR</code> or the hub.
        </p>
      </div>
      {error && !data && <Failure error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton className="m-4 h-72" />}
      {data && (
        <div className="relative overflow-x-auto">
          <table className="w-full border-collapse text-left">
            <thead>
              <tr className="eyebrow border-line border-b">
                {["Benchmark", "Splits", "Files on this machine", "Licence"].map((title) => (
                  <th key={title} scope="col" className={HEAD}>
                    {title}
                  </th>
                ))}
                <th scope="col" className={HEAD}>
                  <span className="sr-only">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.items.map((item) => (
                <Row key={item.name} item={item} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Row({ item }: { item: Benchmark }) {
  const here = item.splits.filter((split) => split.here).map((split) => split.name);
  const hub = item.splits.some((split) => split.on_hub);
  return (
    <tr className="border-line border-b last:border-b-0">
      <td className={`${CELL} whitespace-nowrap`}>
        <span className="font-medium">{item.title}</span>
        <span className="-my-1 flex items-center gap-1 font-mono text-muted text-sm">
          benchmark: {item.name}
          <Copy compact text={item.name} label={`Copy the name of ${item.title}`} />
        </span>
      </td>
      <td className={`${CELL} min-w-40 text-muted`}>
        {item.splits.map((split) => split.name).join(", ")}
      </td>
      <td className={`${CELL} whitespace-nowrap`}>
        {here.length > 0 ? here.join(", ") : <span className="text-muted">none</span>}
        <span className="text-faint">{hub ? " · on the hub" : " · not on the hub"}</span>
      </td>
      <td className={`${CELL} text-muted`}>{item.licence}</td>
      <td className={`${CELL} text-right`}>
        {item.train ? (
          <Link
            to="/runs/new"
            search={{ benchmark: item.name }}
            className={buttonClass("secondary", true)}
            aria-label={`Train on it: ${item.title}`}
          >
            Train on it
          </Link>
        ) : (
          <span className="whitespace-nowrap text-muted text-sm">evaluation only</span>
        )}
      </td>
    </tr>
  );
}
