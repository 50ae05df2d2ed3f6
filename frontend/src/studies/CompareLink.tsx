import { Link } from "@tanstack/react-router";
import { ChartSpline } from "lucide-react";
import { buttonClass } from "../components/ui";

interface CompareLinkProps {
  runs: readonly string[];
  children: string;
}

/** To the page that lays runs over each other. */
export function CompareLink({ runs, children }: CompareLinkProps) {
  return (
    <Link
      to="/compare"
      search={{ runs: runs.join(",") }}
      className={buttonClass("secondary", true)}
    >
      <ChartSpline aria-hidden="true" className="size-3.5" />
      {children}
    </Link>
  );
}
