import { useRouterState } from "@tanstack/react-router";
import { type RefObject, useEffect, useRef, useState } from "react";

/** Time that a page has to name itself before it is read out. */
const NAMING_MS = 400;

/**
 * What a browser does by itself when a document loads: after another page has come, Tab goes on
 * from its beginning, and its title is read out. A change of the view within a page is no arrival.
 */
export function useArrival(): {
  content: RefObject<HTMLElement | null>;
  announcement: string;
} {
  const content = useRef<HTMLElement>(null);
  const [announcement, setAnnouncement] = useState("");
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const last = useRef<string | undefined>(undefined);
  useEffect(() => {
    const before = last.current;
    last.current = path;
    if (before === undefined || path === undefined || before === path) return;
    // A page that puts the focus into a field of its own knows better.
    if (!content.current?.contains(document.activeElement)) {
      content.current?.focus({ preventScroll: true });
    }
    const timer = window.setTimeout(() => setAnnouncement(document.title), NAMING_MS);
    return () => window.clearTimeout(timer);
  }, [path]);
  return { content, announcement };
}
