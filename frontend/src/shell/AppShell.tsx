import { useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { asApiError } from "../api/client";
import { sessionQuery } from "../api/queries";
import { Failure } from "../components/states";
import { useKeys, useMedia } from "../lib/hooks";
import { recall, remember } from "../lib/storage";
import { cycleTheme } from "../lib/theme";
import { CommandPalette, usePaletteKey } from "./CommandPalette";
import { KeyboardHelp } from "./KeyboardHelp";
import { Nav } from "./Nav";
import { ApiDownPage, PageSkeleton } from "./pages";
import { PLACES } from "./places";
import { SignIn } from "./SignIn";
import { useArrival } from "./useArrival";

export function AppShell() {
  const session = useQuery({ ...sessionQuery, retry: false });
  const opened = useRef(false);
  const retry = () => void session.refetch();
  if (session.data) {
    const needed = session.data.authentication_required;
    const locked = needed && !session.data.authenticated;
    opened.current ||= !locked;
    // A session that ends must not take a half-filled form with it: the page waits underneath.
    return (
      <>
        {opened.current && (
          <div className="h-full" inert={locked}>
            <Shell canSignOut={needed} />
          </div>
        )}
        {locked && (
          <div className="fixed inset-0 z-50 bg-canvas">
            <SignIn />
          </div>
        )}
      </>
    );
  }
  if (session.error) {
    return asApiError(session.error).unreachable ? (
      <ApiDownPage onRetry={retry} busy={session.isFetching} />
    ) : (
      <Failure error={session.error} onRetry={retry} />
    );
  }
  return <PageSkeleton />;
}

type Overlay = "help" | "search" | null;

function Shell({ canSignOut }: { canSignOut: boolean }) {
  const navigate = useNavigate();
  const narrow = useMedia("(max-width: 1000px)");
  const [chosen, setChosen] = useState(() => recall("nav"));
  const [unfolded, setUnfolded] = useState(false);
  // A narrow window folds it; unfolding there lasts as long as the page.
  const collapsed = narrow ? !unfolded : chosen === "collapsed";
  const [overlay, setOverlay] = useState<Overlay>(null);
  const toggleNav = () => {
    if (narrow) return setUnfolded(!unfolded);
    const next = collapsed ? "open" : "collapsed";
    remember("nav", next);
    setChosen(next);
  };
  usePaletteKey(() => setOverlay("search"));
  useKeys({
    "?": () => setOverlay("help"),
    "[": toggleNav,
    t: cycleTheme,
    n: () => void navigate({ to: "/runs/new" }),
    ...Object.fromEntries(
      PLACES.map(({ key, to }) => [`g ${key}`, () => void navigate({ to })] as const),
    ),
  });
  const { content, announcement } = useArrival();
  return (
    <div className="flex h-full">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-50 focus:rounded-control focus:bg-accent focus:px-3 focus:py-1.5 focus:text-on-accent"
      >
        Skip to the content
      </a>
      <Nav
        collapsed={collapsed}
        canSignOut={canSignOut}
        onToggle={toggleNav}
        onHelp={() => setOverlay("help")}
        onSearch={() => setOverlay("search")}
      />
      <main
        ref={content}
        id="content"
        tabIndex={-1}
        data-scroll-restoration-id="content"
        // Else what is absolute in there, such as words for screen readers, would lengthen the document.
        className="relative min-w-0 flex-1 overflow-y-auto outline-none"
      >
        <Outlet />
      </main>
      <p role="status" className="sr-only">
        {announcement}
      </p>
      {overlay === "help" && <KeyboardHelp onClose={() => setOverlay(null)} />}
      {overlay === "search" && <CommandPalette onClose={() => setOverlay(null)} />}
    </div>
  );
}
