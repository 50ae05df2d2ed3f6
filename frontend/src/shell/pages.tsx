import { Link } from "@tanstack/react-router";
import { ServerOff } from "lucide-react";
import { Empty, Failure } from "../components/states";
import { Button, buttonClass, Skeleton } from "../components/ui";
import { useTitle } from "../lib/hooks";
import { Page } from "./Page";

export function NotFoundPage() {
  useTitle("Not found");
  return (
    <Page crumbs={[{ label: "Not found" }]}>
      <Empty
        title="There is nothing at this address"
        action={
          <Link to="/" className={buttonClass("secondary")}>
            Go to the runs
          </Link>
        }
      >
        The link may be incomplete, or what it led to was never there.
      </Empty>
    </Page>
  );
}

export function BrokenPage({ error }: { error: unknown }) {
  useTitle("Something broke");
  return (
    <Page crumbs={[{ label: "Something broke" }]}>
      <Failure error={error} onRetry={() => window.location.reload()} />
    </Page>
  );
}

export function ApiDownPage({ onRetry, busy }: { onRetry: () => void; busy: boolean }) {
  useTitle("Server not reachable");
  return (
    <main className="flex h-full flex-col items-center justify-center gap-2 px-6 text-center">
      <ServerOff aria-hidden="true" className="mb-2 size-6 text-faint" />
      <h1 className="font-semibold text-xl">The server does not answer</h1>
      <p className="max-w-md text-muted">
        Runs go on without it: workers keep training and report once it is back. Start it with{" "}
        <code className="rounded bg-sunken px-1 font-mono text-sm text-ink">unisd up</code>, or
        check the network between here and {window.location.host}.
      </p>
      <Button className="mt-3" onClick={onRetry} disabled={busy}>
        {busy ? "Trying…" : "Try again"}
      </Button>
    </main>
  );
}

export function PageSkeleton() {
  return (
    <div role="status" aria-label="Loading" className="flex flex-col gap-4 p-6">
      <Skeleton className="h-6 w-64" />
      <Skeleton className="h-40 w-full" />
      <Skeleton className="h-40 w-full" />
    </div>
  );
}
