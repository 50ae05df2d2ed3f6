import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useRouterState } from "@tanstack/react-router";
import {
  Keyboard,
  LogOut,
  type LucideIcon,
  Monitor,
  Moon,
  PanelLeftClose,
  PanelLeftOpen,
  Search,
  Sun,
} from "lucide-react";
import { useSignOut } from "../api/actions";
import { projectsQuery } from "../api/queries";
import { IconButton, Kbd } from "../components/ui";
import { cycleTheme, type ThemeChoice, useThemeChoice } from "../lib/theme";
import { isUnder, PLACES } from "./places";
import { Readiness } from "./Readiness";

interface NavProps {
  collapsed: boolean;
  canSignOut: boolean;
  onToggle: () => void;
  onHelp: () => void;
  onSearch: () => void;
}

const THEMES: Record<ThemeChoice, { icon: LucideIcon; words: string }> = {
  system: { icon: Monitor, words: "Theme: as the system" },
  light: { icon: Sun, words: "Theme: light" },
  dark: { icon: Moon, words: "Theme: dark" },
};

const ITEM =
  "flex h-8 w-full items-center gap-2.5 rounded-control px-2.5 text-muted transition-colors hover:bg-hover hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent-text";

export function Nav({ collapsed, canSignOut, onToggle, onHelp, onSearch }: NavProps) {
  const choice = useThemeChoice();
  const signOut = useSignOut();
  const Theme = THEMES[choice].icon;
  return (
    <aside
      data-collapsed={collapsed}
      className={`flex shrink-0 flex-col border-line border-r bg-surface ${collapsed ? "w-(--nav-width-collapsed)" : "w-(--nav-width)"}`}
    >
      <div
        className={`flex h-(--topbar-height) items-center border-line border-b ${collapsed ? "justify-center" : "justify-between pr-2 pl-4"}`}
      >
        {!collapsed && (
          <Link to="/" className="flex items-center gap-2 font-semibold">
            <img src="/favicon.svg" alt="" className="size-5" />
            UniSD Studio
          </Link>
        )}
        <IconButton
          label={collapsed ? "Unfold the navigation" : "Fold the navigation"}
          onClick={onToggle}
        >
          {collapsed ? <PanelLeftOpen className="size-4" /> : <PanelLeftClose className="size-4" />}
        </IconButton>
      </div>
      <nav aria-label="Main" className="flex flex-1 flex-col gap-0.5 overflow-y-auto p-2">
        {!collapsed && <ProjectSwitcher />}
        <button
          type="button"
          onClick={onSearch}
          title="Search"
          aria-label={collapsed ? "Search" : undefined}
          aria-keyshortcuts="Control+K Meta+K"
          className={`${ITEM} mb-2`}
        >
          <Search aria-hidden="true" className="size-4 shrink-0" />
          {!collapsed && (
            <>
              <span className="flex-1 text-left">Search</span>
              <Kbd>Ctrl K</Kbd>
            </>
          )}
        </button>
        {PLACES.map((place) => (
          <Item key={place.to} place={place} collapsed={collapsed} />
        ))}
      </nav>
      <div className="border-line border-t p-2">
        <Readiness collapsed={collapsed} />
        <div className={`flex gap-1 ${collapsed ? "flex-col items-center" : "px-1 pt-1"}`}>
          <IconButton label={`${THEMES[choice].words}. Change`} onClick={cycleTheme}>
            <Theme className="size-4" />
          </IconButton>
          <IconButton label="Keyboard help" onClick={onHelp}>
            <Keyboard className="size-4" />
          </IconButton>
          {canSignOut && (
            <IconButton label="Sign out" onClick={() => signOut.mutate()}>
              <LogOut className="size-4" />
            </IconButton>
          )}
        </div>
      </div>
    </aside>
  );
}

function Item({ place, collapsed }: { place: (typeof PLACES)[number]; collapsed: boolean }) {
  const current = useRouterState({ select: (state) => isUnder(state.location.pathname, place.to) });
  const Icon = place.icon;
  return (
    <Link
      to={place.to}
      title={collapsed ? place.label : undefined}
      aria-label={place.label}
      aria-current={current ? "page" : undefined}
      className={ITEM}
    >
      <Icon aria-hidden="true" className="size-4 shrink-0" />
      {!collapsed && place.label}
    </Link>
  );
}

function ProjectSwitcher() {
  const navigate = useNavigate();
  const { data } = useQuery(projectsQuery);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const current = /^\/projects\/([^/]+)/.exec(path)?.[1] ?? "";
  if (!data) return <div className="mb-1 h-8" />;
  const go = (projectId: string) =>
    void (projectId
      ? navigate({ to: "/projects/$projectId/runs", params: { projectId } })
      : navigate({ to: "/" }));
  return (
    <select
      aria-label="Project"
      value={current}
      onChange={(event) => go(event.target.value)}
      className="control mb-1 w-full font-medium"
    >
      <option value="">All projects</option>
      {data.items.map((project) => (
        <option key={project.id} value={project.id}>
          {project.name}
        </option>
      ))}
    </select>
  );
}
