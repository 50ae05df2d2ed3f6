/** The pages that the navigation, the search and the keys lead to. */
import {
  Columns3,
  Database,
  FlaskConical,
  GitCompareArrows,
  ListOrdered,
  type LucideIcon,
  Package,
  Plus,
  Rows3,
  Server,
} from "lucide-react";

interface Place {
  to:
    | "/"
    | "/runs/new"
    | "/queue"
    | "/compare"
    | "/side-by-side"
    | "/studies"
    | "/datasets"
    | "/artifacts"
    | "/workers";
  label: string;
  icon: LucideIcon;
  /** Pressed after `g`. */
  key: string;
}

export const PLACES: readonly Place[] = [
  { to: "/", label: "Runs", icon: Rows3, key: "r" },
  { to: "/runs/new", label: "New run", icon: Plus, key: "n" },
  { to: "/queue", label: "Queue", icon: ListOrdered, key: "q" },
  { to: "/compare", label: "Compare", icon: GitCompareArrows, key: "c" },
  { to: "/side-by-side", label: "Side by side", icon: Columns3, key: "b" },
  { to: "/studies", label: "Studies", icon: FlaskConical, key: "s" },
  { to: "/datasets", label: "Datasets", icon: Database, key: "d" },
  { to: "/artifacts", label: "Artifacts", icon: Package, key: "a" },
  { to: "/workers", label: "Workers", icon: Server, key: "w" },
];

/** Whether a path lies under a place; a run belongs to the runs, a new one does not. */
export function isUnder(path: string, to: string): boolean {
  if (to === "/") {
    return path === "/" || path.startsWith("/projects/") || /^\/runs\/(?!new$)/.test(path);
  }
  return path === to || path.startsWith(`${to}/`);
}
