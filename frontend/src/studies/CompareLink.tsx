import { useRouter } from "@tanstack/react-router";
import { ChartSpline } from "lucide-react";
import { buttonClass } from "../components/ui";

interface CompareLinkProps {
  runs: readonly string[];
  children: string;
}

/** To the page that lays runs over each other. */
export function CompareLink({ runs, children }: CompareLinkProps) {
  const router = useRouter();
  const href = `/compare?runs=${runs.join(",")}`;
  return (
    <a
      href={href}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        router.history.push(href);
      }}
      className={buttonClass("secondary", true)}
    >
      <ChartSpline aria-hidden="true" className="size-3.5" />
      {children}
    </a>
  );
}
